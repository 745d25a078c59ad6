package org.mezzo.flags;

import java.io.InputStream;
import java.util.List;
import java.util.Map;

/**
 * The flags of one daemon, read from the {@code OSGI-INF/mezzo/flags.tsv} of the bundle that owns it
 * (columns: name, deprecated_name, type, default, effect, purpose).
 */
public final class FlagDefinitions {
  /** Where a bundle keeps its definitions. */
  public static final String RESOURCE = "OSGI-INF/mezzo/flags.tsv";

  private FlagDefinitions() {}

  /** One flag. */
  public record Definition(
      String name,
      String deprecatedName,
      String type,
      String defaultValue,
      boolean effective,
      String purpose) {}

  /** Reads the table. */
  public static FlagDefinitions read(InputStream table) {
    throw new UnsupportedOperationException();
  }

  /** In the order of the table. */
  public List<Definition> all() {
    throw new UnsupportedOperationException();
  }

  /**
   * Checks given texts (by flag name, without dashes) and adds defaults.
   *
   * @throws FlagException for an unknown name, with the nearest known one, or a bad value
   */
  public Flags parse(Map<String, String> given) throws FlagException {
    throw new UnsupportedOperationException();
  }
}
