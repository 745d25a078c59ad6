package org.mezzo.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;

/**
 * The flags of a daemon that say whose modules run. Modules are the process's, so that what one
 * daemon demands holds for all of them.
 *
 * @param store {@code --module_trust_store}
 * @param password {@code --module_trust_store_password}
 */
record SigningFlags(Path store, Optional<Path> password) {
  private static final String DEMAND = "require_signed_modules";
  private static final String STORE = "module_trust_store";
  private static final String PASSWORD = "module_trust_store_password";

  /**
   * Reads them; empty when no signatures are demanded.
   *
   * @throws FlagException when it is not said whom to trust, or there is no such file
   */
  static Optional<SigningFlags> of(Flags flags) throws FlagException {
    if (!flags.bool(DEMAND)) {
      if (flags.text(STORE).isPresent()) {
        throw new FlagException(
            "flag --module_trust_store: nobody asks for signatures; give --require_signed_modules"
                + " as well, or leave it out");
      }
      return Optional.empty();
    }
    if (flags.text(STORE).isEmpty()) {
      throw new FlagException(
          "flag --require_signed_modules: --module_trust_store=FILE is missing, which says who may"
              + " sign");
    }
    return Optional.of(
        new SigningFlags(existing(flags, STORE).orElseThrow(), existing(flags, PASSWORD)));
  }

  private static Optional<Path> existing(Flags flags, String name) throws FlagException {
    Optional<Path> file = flags.text(name).map(text -> Path.of(text).toAbsolutePath());
    if (file.isPresent() && !Files.isReadable(file.get())) {
      throw new FlagException("flag --" + name + ": " + file.get() + " cannot be read");
    }
    return file;
  }

  /** What the framework is told. */
  Map<String, String> properties() {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("mezzo.modules.truststore", store.toString());
    password.ifPresent(
        file -> properties.put("mezzo.modules.truststore.password", file.toString()));
    return properties;
  }
}
