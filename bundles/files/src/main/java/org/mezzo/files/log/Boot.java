package org.mezzo.files.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Tells one run of the machine from the next. */
public final class Boot {
  private static final Path ID = Path.of("/proc/sys/kernel/random/boot_id");

  private Boot() {}

  /**
   * What no other run of this or another machine is called.
   *
   * @throws IOException when the system does not say
   */
  public static String id() throws IOException {
    return Files.readString(ID).strip();
  }
}
