package org.mezzo.files;

import java.nio.file.FileSystemException;

/** A path leads out of the tree, by itself or through a link. */
public final class OutsideTreeException extends FileSystemException {
  private static final long serialVersionUID = 1L;

  OutsideTreeException(String path) {
    super(path, null, "it leads out of the tree");
  }
}
