package org.mezzo.itests.held;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * Holds a version of a module for ever at one step of a swap, and says so on standard error. Goes
 * into test bundles, with a file that names version and step.
 */
public final class Hold {
  /** The file beside this class. */
  public static final String FILE = "org/mezzo/itests/held/hold.txt";

  /** Where a version can be held. */
  public enum Step {
    NONE,
    REHEARSED,
    OPENED,
    /** When it is told the state that it takes over. */
    TAKING_OVER,
    /** In a call, as long as a file exists. */
    CALLED;

    /** What the file says. */
    public String text(String version, Path whileThere) {
      return String.join("\n", name(), version, whileThere.toString());
    }

    /** What a version says that is held there. */
    public String word(String version) {
      return version + " is held where it is " + name();
    }
  }

  private Hold() {}

  private static List<String> file() {
    try (InputStream in = Hold.class.getResourceAsStream("hold.txt")) {
      return List.of(new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static String version() {
    return file().get(1);
  }

  static void at(Step here) {
    List<String> file = file();
    if (!file.get(0).equals(here.name())
        || here == Step.CALLED && !Files.exists(Path.of(file.get(2)))) {
      return;
    }
    System.err.println(here.word(file.get(1)));
    while (true) {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        continue;
      }
    }
  }
}
