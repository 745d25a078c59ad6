package org.mezzo.files;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;

/** Open directories, whose entries are reached by descriptor and not by path. */
final class Directories {
  private static final Path ITSELF = Path.of(".");

  private Directories() {}

  /** Opens a directory whose path nobody else can change; links in it are followed. */
  @SuppressWarnings("StreamResourceLeak") // The caller closes what is given to it.
  static SecureDirectoryStream<Path> open(Path directory) throws IOException {
    DirectoryStream<Path> stream = Files.newDirectoryStream(directory);
    if (stream instanceof SecureDirectoryStream<Path> secure) {
      return secure;
    }
    stream.close();
    throw new FileSystemException(
        directory.toString(), null, "its file system cannot be walked without following links");
  }

  /** What an entry is, a link itself if it is one. Opens nothing. */
  static BasicFileAttributes attributes(SecureDirectoryStream<Path> directory, Path name)
      throws IOException {
    return directory
        .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .readAttributes();
  }

  /**
   * Opens a directory inside another one. Never blocks: the name is opened with {@code /.} behind
   * it, which a fifo put in its place refuses. That follows a link put in its place, but then
   * another directory was opened than the one whose key was seen.
   *
   * @param key of the directory that {@link #attributes} saw there
   * @throws ChangedException when something else is there by now
   */
  static SecureDirectoryStream<Path> enter(
      SecureDirectoryStream<Path> directory, Path name, Object key) throws IOException {
    SecureDirectoryStream<Path> inner;
    try {
      inner = directory.newDirectoryStream(name.resolve(ITSELF), LinkOption.NOFOLLOW_LINKS);
    } catch (java.nio.file.NotDirectoryException e) {
      throw new ChangedException(name);
    }
    try {
      Object opened =
          inner.getFileAttributeView(BasicFileAttributeView.class).readAttributes().fileKey();
      if (!opened.equals(key)) {
        throw new ChangedException(name);
      }
      return inner;
    } catch (IOException | RuntimeException e) {
      inner.close();
      throw e;
    }
  }

  /** The directory once more, to be listed once more. */
  static SecureDirectoryStream<Path> again(SecureDirectoryStream<Path> directory)
      throws IOException {
    return directory.newDirectoryStream(ITSELF, LinkOption.NOFOLLOW_LINKS);
  }
}
