package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.mezzo.deployment.Shipped;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.deployment.journal.StateFolder;
import org.mezzo.deployment.signatures.TrustedSigners;
import org.osgi.framework.BundleContext;

/**
 * Whether this host runs what nobody has signed. Decided once for each content; what came with the
 * distribution is known by its digest and needs no signature. Used by deployment's thread.
 */
final class Signatures {
  /** Where the trust store is; every jar has to be signed where there is one. */
  static final String STORE_PROPERTY = "mezzo.modules.truststore";

  /** Where its password is. */
  static final String PASSWORD_PROPERTY = "mezzo.modules.truststore.password";

  /** Lines of digest and name of what came with the distribution. */
  static final String SHIPPED_PROPERTY = "mezzo.modules.shipped";

  private final Optional<TrustedSigners> trusted;
  private final List<Shipped> shipped;
  private final StateFolder state;

  /** What was decided, by digest. */
  private final Map<String, Optional<String>> decided = new HashMap<>();

  private Signatures(Optional<TrustedSigners> trusted, List<Shipped> shipped, StateFolder state) {
    this.trusted = trusted;
    this.shipped = shipped;
    this.state = state;
  }

  /**
   * As the framework's properties have it.
   *
   * @throws UncheckedIOException when it cannot be read whom to trust: then nothing may run
   */
  static Signatures of(BundleContext context, StateFolder state) {
    try {
      Optional<Path> store = path(context, STORE_PROPERTY);
      return new Signatures(
          store.isEmpty()
              ? Optional.empty()
              : Optional.of(TrustedSigners.read(store.get(), path(context, PASSWORD_PROPERTY))),
          shipped(path(context, SHIPPED_PROPERTY)),
          state);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Whose modules may run is not known: --module_trust_store: " + Reasons.plain(e), e);
    }
  }

  private static Optional<Path> path(BundleContext context, String property) {
    return Optional.ofNullable(context.getProperty(property))
        .filter(text -> !text.isBlank())
        .map(Path::of);
  }

  private static List<Shipped> shipped(Optional<Path> list) throws IOException {
    if (list.isEmpty() || !Files.exists(list.get())) {
      return List.of();
    }
    try (Stream<String> lines = Files.lines(list.get())) {
      return lines
          .map(line -> line.strip().split("\\s+", 2))
          .filter(fields -> fields.length == 2)
          .map(fields -> new Shipped(fields[1], fields[0]))
          .sorted(Comparator.comparing(Shipped::fileName))
          .toList();
    }
  }

  /** What came with the distribution; for any thread. */
  List<Shipped> shipped() {
    return shipped;
  }

  /** Whether a content came with the distribution; for any thread. */
  boolean isShipped(String digest) {
    return shipped.stream().anyMatch(jar -> jar.digest().equals(digest));
  }

  /** What speaks against running a jar; empty when nothing does. */
  Optional<String> objection(ModuleJar jar) {
    if (trusted.isEmpty() || isShipped(jar.digest())) {
      return Optional.empty();
    }
    Optional<String> before = decided.get(jar.digest());
    if (before != null) {
      return before;
    }
    try {
      Optional<String> objection = look(jar);
      decided.put(jar.digest(), objection);
      return objection;
    } catch (IOException e) {
      return Optional.of("who has signed it cannot be seen: " + Reasons.plain(e));
    }
  }

  /** Looks at the bytes with that digest in a place where nobody can exchange them meanwhile. */
  private Optional<String> look(ModuleJar jar) throws IOException {
    boolean kept = state.store().holds(jar.digest());
    Path content = state.store().stage(jar.path(), jar.digest());
    try {
      return trusted.get().objection(content, new Date(), ran(jar));
    } finally {
      if (!kept) {
        Files.deleteIfExists(content);
      }
    }
  }

  /** What ran here when its signer's certificate was valid goes on when that expires. */
  private boolean ran(ModuleJar jar) {
    return state
        .journal()
        .seat(jar.symbolicName())
        .map(Journal.Seat::digest)
        .filter(jar.digest()::equals)
        .isPresent();
  }
}
