package org.mezzo.testing.contract;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.protocol.v1.Secret;

/**
 * The rules of {@link SecretGenerator}: every executor gets a secret that can be a variable and a
 * header, whatever its ids are, and by which it is known and nobody else. {@link ModuleContract}
 * says how to extend it.
 */
public abstract class SecretGeneratorContract extends ParallelContract<SecretGenerator> {
  private static final int LONGEST = 16_384;

  private static final List<String> ODD =
      List.of(
          " ",
          ".",
          "..",
          "a.b",
          "a\"b\\",
          "a\r\nb",
          "a\tb",
          "%s%n",
          "\u00e4\u20ac\ud83d\ude00",
          "{}",
          "x".repeat(255),
          "\"".repeat(255));

  /** For subclasses. */
  protected SecretGeneratorContract() {}

  /**
   * Whom a secret belongs to, as whoever authenticates executors says: asks your authenticator for
   * example. Called on several threads at a time.
   *
   * @return empty for a secret of nobody
   */
  protected abstract Optional<Principal> owner(String secret) throws Exception;

  @Override
  Role role() {
    return Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(5);
  }

  @Override
  int callers() {
    return 16;
  }

  @Override
  void use(Instance<SecretGenerator> generator, Random random) throws Exception {
    check(
        generator,
        executor(
            "framework-" + random.nextInt(100),
            "executor-" + random.nextInt(100),
            "container-" + random.nextInt()));
  }

  private static Principal executor(String framework, String executor, String container) {
    return new Principal(
        Optional.empty(), Map.of("fid", framework, "eid", executor, "cid", container));
  }

  /** Executors whose ids are nearly the same, or such as nobody expects, are told apart. */
  @Test
  public void givesEveryExecutorASecretOfItsOwn() throws Exception {
    Instance<SecretGenerator> generator = opened();
    Map<String, Principal> owners = new HashMap<>();
    for (String odd : ODD) {
      for (Principal principal :
          List.of(
              executor(odd, "e", "c"),
              executor("f", odd, "c"),
              executor("f", "e", odd),
              executor("f", odd, odd + odd.charAt(0)))) {
        Principal other = owners.put(check(generator, principal), principal);
        if (other != null) {
          throw new AssertionError(
              "One secret is that of two: " + other.claims() + " and " + principal.claims());
        }
      }
    }
    generator.close();
  }

  /** Secrets of an instance before are those of the same executors still. */
  @Test
  public void secretsOutliveTheInstanceThatMadeThem() throws Exception {
    Principal principal = executor("f", "e", "c");
    Instance<SecretGenerator> old = opened();
    String secret = check(old, principal);
    Instance<SecretGenerator> next = opened();
    old.close();
    check(next, executor("f", "e", "another"));
    known(principal, secret);
    next.close();
  }

  private String check(Instance<SecretGenerator> generator, Principal principal) throws Exception {
    Secret secret = generator.ask("generate", it -> it.generate(principal));
    if (secret.getType() != Secret.Type.VALUE || !secret.hasValue()) {
      throw new AssertionError(
          "A secret of type "
              + secret.getType()
              + (secret.hasValue() ? "" : " without a value")
              + " is of no use; give one of type VALUE with its value");
    }
    ByteString data = secret.getValue().getData();
    if (data.isEmpty() || data.size() > LONGEST) {
      throw new AssertionError(
          "A secret has " + data.size() + " bytes; it must have 1 to " + LONGEST);
    }
    for (byte each : data) {
      if (each <= ' ' || each > '~') {
        throw new AssertionError(
            "A secret has a byte " + (each & 0xff) + "; all must be visible characters of ASCII");
      }
    }
    String text = data.toStringUtf8();
    known(principal, text);
    return text;
  }

  private void known(Principal principal, String secret) throws Exception {
    Optional<Principal> owner = owner(secret);
    if (!owner.equals(Optional.of(principal))) {
      throw new AssertionError(
          "The secret of "
              + principal.claims()
              + " is known as that of "
              + owner.map(it -> it.claims().toString()).orElse("nobody"));
    }
  }
}
