package org.mezzo.agent.tokens;

import com.google.protobuf.ByteString;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.modules.ModuleChain.Member;
import org.mezzo.modules.ModuleChain.Selection;
import org.mezzo.protocol.v1.Secret;

/**
 * The secrets of executors, as the generator of one agent makes them: an executor gets one that it
 * can use, or is not launched. They are held no longer than a launch takes. Safe for any thread.
 */
public final class ExecutorSecrets implements AutoCloseable {
  /** The module whose tokens the agent itself knows. */
  public static final String DEFAULT = "jwt";

  /** In bytes; a variable and a header can be longer. */
  static final int LONGEST = 16_384;

  private final ModuleChain<SecretGenerator> generators;
  private final Optional<ExecutorTokens> known;
  private final Executor events;

  /**
   * Leases the generator that is chosen.
   *
   * @param name of its module; without one executors get no secrets
   * @param known what the agent itself knows
   * @param events where secrets arrive
   */
  public ExecutorSecrets(
      DaemonModules modules,
      Optional<String> name,
      Optional<ExecutorTokens> known,
      Executor events) {
    generators = modules.chain(Kinds.SECRET_GENERATOR, name.stream().toList(), events);
    this.known = known;
    this.events = events;
  }

  /** Executors that are launched from now on have secrets of that one, once it has opened. */
  public void select(Optional<String> name) {
    generators.select(name.stream().toList());
  }

  /**
   * Makes the secret of an executor in its container, once a generator has opened that is about to.
   *
   * @return empty where there is no generator; fails with {@link LaunchException} where one made
   *     none, or none that can be used. Complete at once or where secrets arrive
   */
  public CompletionStage<Optional<String>> of(String framework, String executor, String container) {
    if (generators.isEmpty()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    Principal principal =
        new Principal(
            Optional.empty(),
            Map.of(
                ExecutorTokens.FRAMEWORK,
                framework,
                ExecutorTokens.EXECUTOR,
                executor,
                ExecutorTokens.CONTAINER,
                container));
    return generators.opened().thenComposeAsync(unused -> ask(principal), events);
  }

  private CompletionStage<Optional<String>> ask(Principal principal) {
    Selection<SecretGenerator> selection = generators.now();
    if (selection.members().isEmpty()) {
      selection.close();
      return CompletableFuture.completedStage(Optional.empty());
    }
    Member<SecretGenerator> generator = selection.members().get(0);
    return generator
        .lease()
        .ask(
            "generate",
            module -> Objects.requireNonNull(module.generate(principal), "generate returned null"))
        .handle(
            (secret, failure) -> {
              selection.close();
              return Optional.of(text(generator.name(), principal, secret, failure));
            });
  }

  private String text(String name, Principal principal, Secret secret, Throwable failure) {
    String module = "The executor has no secret: secret generator '" + name + "'";
    if (failure != null) {
      throw new CompletionException(
          LaunchException.of(
              module, "install its module or give --secret_generator another one", failure));
    }
    problem(name, principal, secret)
        .ifPresent(
            problem -> {
              throw new CompletionException(new LaunchException(module + " " + problem));
            });
    return secret.getValue().getData().toStringUtf8();
  }

  /** Why a secret cannot be used, without what it is. */
  private Optional<String> problem(String name, Principal principal, Secret secret) {
    String repair = "; repair it or give --secret_generator another one";
    if (secret.getType() != Secret.Type.VALUE || !secret.hasValue()) {
      return Optional.of(
          "made one of type "
              + secret.getType()
              + (secret.hasValue() ? "" : " without a `value`")
              + ", where an executor needs its value"
              + repair);
    }
    ByteString data = secret.getValue().getData();
    if (data.isEmpty() || data.size() > LONGEST) {
      return Optional.of(
          "made one of " + data.size() + " bytes; it must have 1 to " + LONGEST + repair);
    }
    for (byte each : data) {
      if (each <= ' ' || each > '~') {
        return Optional.of(
            "made one that is no header: it may have visible characters of ASCII only" + repair);
      }
    }
    if (name.equals(DEFAULT)
        && !known
            .flatMap(tokens -> tokens.principal(data.toStringUtf8()))
            .filter(principal::equals)
            .isPresent()) {
      return Optional.of(
          "made one that this agent does not know; start it again if the file of --jwt_secret_key"
              + " has another key now, or give the module another name");
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    generators.close();
  }
}
