package org.mezzo.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Says in plain words why something cannot be done with a file. */
public final class FileFailure {
  private FileFailure() {}

  /** What is wrong, and with which file; exceptions of the JDK often name nothing but the file. */
  public static String reason(IOException failure) {
    if (failure instanceof FileSystemException refused && refused.getReason() == null) {
      if (refused instanceof AccessDeniedException) {
        return refused.getFile() + ": permission denied";
      }
      if (refused instanceof FileAlreadyExistsException) {
        return refused.getFile() + " is in the way";
      }
      if (refused instanceof NoSuchFileException) {
        return refused.getFile() + " is not there";
      }
      if (refused instanceof DirectoryNotEmptyException) {
        return refused.getFile() + " is a folder that is not empty";
      }
    }
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }
}
