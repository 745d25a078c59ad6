package org.mezzo.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where daemons keep their files unless flags say otherwise. */
record Places(Path state, Path runtime) {

  /** The system's folders for root, the user's own for everybody else. */
  static Places ofThisUser() {
    return of(
        "root".equals(System.getProperty("user.name")),
        Path.of(System.getProperty("user.home")),
        Path.of(System.getProperty("java.io.tmpdir")),
        System.getProperty("user.name"),
        System.getenv());
  }

  static Places of(
      boolean root, Path home, Path temp, String user, Map<String, String> environment) {
    if (root) {
      return new Places(Path.of("/var/lib/mezzo"), Path.of("/var/run/mezzo"));
    }
    String given = environment.get("XDG_RUNTIME_DIR");
    boolean usable = given != null && !given.isEmpty() && Files.isWritable(Path.of(given));
    return new Places(
        home.resolve(".mezzo"),
        usable ? Path.of(given).resolve("mezzo") : temp.resolve("mezzo-" + user));
  }

  /** Files of the process, such as the framework's cache. */
  Path host() {
    return runtime.resolve("host");
  }
}
