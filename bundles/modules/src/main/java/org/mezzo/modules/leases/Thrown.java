package org.mezzo.modules.leases;

import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * What a module has thrown, as it was then. A throwable of a module is code of the module: what it
 * says of itself may take for ever, throw or have no end. So it is asked once, where that harms
 * nobody but its own call, and what goes on to logs and callers is a copy that says the same.
 *
 * @param fault whether it is unchecked; what an SPI declares is an answer
 * @param text what {@code toString} gives
 * @param cause to be given on; runs no code of the module
 */
record Thrown(boolean fault, String text, Throwable cause) {
  private static final int MOST_CAUSES = 10;
  private static final int MOST_FRAMES = 200;
  private static final int MOST_CHARACTERS = 10_000;

  /** Says what another throwable has said. */
  private static final class Copy extends Exception {
    private static final long serialVersionUID = 1L;

    private final String text;

    Copy(String text, String message, Throwable cause) {
      super(message, cause, false, true);
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** Runs code of the module; to be called under its deadline and without any lock. */
  static Thrown of(Throwable thrown) {
    Throwable meant = unwrapped(thrown);
    boolean fault = meant instanceof RuntimeException || meant instanceof Error;
    try {
      Throwable copy = copy(meant, MOST_CAUSES);
      return new Thrown(fault, cut(copy.toString()), copy);
    } catch (OutOfMemoryError | StackOverflowError e) {
      // The call must have an end all the same.
      return new Thrown(fault, meant.getClass().getName(), null);
    }
  }

  /** What a stage failed with. */
  private static Throwable unwrapped(Throwable thrown) {
    return thrown.getClass() == CompletionException.class && thrown.getCause() != null
        ? thrown.getCause()
        : thrown;
  }

  private static Throwable copy(Throwable thrown, int causes) {
    if (isHarmless(thrown, causes)) {
      return thrown;
    }
    String name = thrown.getClass().getName();
    String text = ask(thrown::toString, name + ", which cannot say what it is");
    Throwable cause = causes == 0 ? null : ask(thrown::getCause, null);
    Copy copy =
        new Copy(
            cut(text == null ? name : text),
            cut(ask(thrown::getMessage, null)),
            cause == null ? null : copy(cause, causes - 1));
    StackTraceElement[] frames = ask(thrown::getStackTrace, null);
    if (frames != null) {
      copy.setStackTrace(
          Arrays.stream(frames)
              .limit(MOST_FRAMES)
              .filter(Objects::nonNull)
              .toArray(StackTraceElement[]::new));
    }
    return copy;
  }

  /** Whether it is short and runs code of the Java platform only, with all that it has in it. */
  private static boolean isHarmless(Throwable thrown, int causes) {
    ClassLoader loader = thrown.getClass().getClassLoader();
    if (loader != null && loader != ClassLoader.getPlatformClassLoader()
        || thrown.getSuppressed().length > 0
        || thrown.getStackTrace().length > MOST_FRAMES) {
      return false;
    }
    String message = thrown.getMessage();
    Throwable cause = thrown.getCause();
    return (message == null || message.length() <= MOST_CHARACTERS)
        && (cause == null || causes > 0 && isHarmless(cause, causes - 1));
  }

  private static <T> T ask(Supplier<T> question, T otherwise) {
    try {
      return question.get();
    } catch (Throwable t) {
      return otherwise;
    }
  }

  private static String cut(String text) {
    return text == null || text.length() <= MOST_CHARACTERS
        ? text
        : text.substring(0, MOST_CHARACTERS) + "...";
  }
}
