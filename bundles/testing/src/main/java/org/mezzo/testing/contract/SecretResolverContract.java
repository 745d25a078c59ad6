package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;

/**
 * The rules of {@link SecretResolver}: what it knows it says, what it does not know it refuses by a
 * checked exception, so that a task that names what is not there fails and costs nobody else the
 * resolver, and nothing that it throws has a secret in it. {@link ModuleContract} says how to
 * extend it.
 */
public abstract class SecretResolverContract extends ParallelContract<SecretResolver> {
  private static final List<String> ODD =
      List.of("", ".", "..", "../x", "a/b", "/etc/passwd", "é", "\0", "%n", "a".repeat(5_000));

  private Map<Secret, String> secrets = Map.of();

  /** For subclasses. */
  protected SecretResolverContract() {}

  /** Secrets that the resolver knows, with what they are; at least one. Asked once for a test. */
  protected abstract Map<Secret, String> known() throws Exception;

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
  void use(Instance<SecretResolver> resolver, Random random) {
    Map<Secret, String> known = secrets();
    Secret secret = List.copyOf(known.keySet()).get(random.nextInt(known.size()));
    String said = resolver.ask("resolve", it -> it.resolve(secret)).getData().toStringUtf8();
    if (!said.equals(known.get(secret))) {
      throw new AssertionError("A secret is another one than it should be");
    }
  }

  private synchronized Map<Secret, String> secrets() {
    if (secrets.isEmpty()) {
      try {
        secrets = Map.copyOf(known());
      } catch (Exception e) {
        throw new AssertionError("There are no secrets to ask for: " + e, e);
      }
    }
    return secrets;
  }

  /** What is not there, and names that nobody should use, fail a launch and nothing else. */
  @Test
  public void refusesWhatItDoesNotKnowByACheckedExceptionWithoutASecret() throws Exception {
    Instance<SecretResolver> resolver = opened();
    for (String name : ODD) {
      refused(resolver, reference(name, Optional.empty()));
      refused(resolver, reference("nobody-knows-this", Optional.of(name)));
      for (Secret one : secrets().keySet()) {
        if (one.hasReference() && !name.isEmpty()) {
          refused(resolver, reference(one.getReference().getName() + name, Optional.empty()));
        }
      }
    }
    refused(resolver, Secret.getDefaultInstance());
    use(resolver, random());
    resolver.close();
  }

  private static Secret reference(String name, Optional<String> key) {
    Secret.Reference.Builder reference = Secret.Reference.newBuilder().setName(name);
    key.ifPresent(reference::setKey);
    return Secret.newBuilder().setType(Secret.Type.REFERENCE).setReference(reference).build();
  }

  private void refused(Instance<SecretResolver> resolver, Secret secret) {
    String asked = "resolve of " + (secret.hasReference() ? "a reference" : "nothing");
    List<String> messages = new ArrayList<>();
    Optional<Secret.Value> value =
        resolver.attempt(
            asked,
            it -> {
              try {
                return it.resolve(secret);
              } catch (Exception e) {
                messages.add(String.valueOf(e.getMessage()));
                throw e;
              }
            });
    if (value.isPresent()) {
      throw new AssertionError(asked + " that is not there gave a secret");
    }
    for (String known : secrets().values()) {
      if (messages.get(0).contains(known)) {
        throw new AssertionError("What was thrown has a secret in its message");
      }
    }
  }
}
