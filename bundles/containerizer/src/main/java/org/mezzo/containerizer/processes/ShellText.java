package org.mezzo.containerizer.processes;

import java.nio.file.Path;
import org.mezzo.containerizer.LaunchException;

/** Text for a POSIX shell. */
final class ShellText {
  private ShellText() {}

  /** One word that the shell takes as it is. */
  static String quote(String text) throws LaunchException {
    if (text.indexOf('\0') >= 0) {
      throw new LaunchException(
          "A command, argument or environment variable contains a NUL character; remove it");
    }
    return "'" + text.replace("'", "'\\''") + "'";
  }

  static String quote(Path path) throws LaunchException {
    return quote(path.toString());
  }
}
