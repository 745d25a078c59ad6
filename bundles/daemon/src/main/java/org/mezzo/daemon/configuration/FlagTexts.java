package org.mezzo.daemon.configuration;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;

/** Reads what texts of flags mean, for the classes that give flags their types. */
public final class FlagTexts {
  private FlagTexts() {}

  /** What a text means; the message of what it throws says what is wrong with the text. */
  @FunctionalInterface
  public interface Meaning<T> {
    T of(String text) throws Exception;
  }

  /**
   * What the flag means; empty when it has no value.
   *
   * @throws FlagException when the text means nothing; names the flag
   */
  public static <T> Optional<T> read(Flags flags, String name, Meaning<T> meaning)
      throws FlagException {
    Optional<String> text = flags.text(name);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(meaning.of(text.get()));
    } catch (Exception e) {
      throw bad(name, e);
    }
  }

  /** The names that a flag lists, separated by commas, in their order; none without a value. */
  public static List<String> list(Flags flags, String name) {
    return flags.text(name).map(FlagTexts::list).orElse(List.of());
  }

  /** What a text lists, separated by commas, without what is blank. */
  public static List<String> list(String text) {
    return Arrays.stream(text.split(",")).map(String::strip).filter(it -> !it.isEmpty()).toList();
  }

  private static FlagException bad(String name, Exception e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return new FlagException(
        message.startsWith("--" + name) ? message : "flag --" + name + ": " + message);
  }
}
