package org.mezzo.containerizer.secrets;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.modules.ModuleChain.Member;
import org.mezzo.modules.ModuleChain.Selection;
import org.mezzo.protocol.v1.Secret;

/**
 * The secrets of containers, as the resolver of one agent knows them. What it says is held no
 * longer than a launch takes.
 */
public final class Secrets implements AutoCloseable {
  private final ModuleChain<SecretResolver> resolvers;

  /**
   * Leases the resolver that is chosen.
   *
   * @param name of its module
   * @param events where the lease reports
   */
  public Secrets(ContainerizerHost host, String name, Executor events) {
    resolvers = host.modules().chain(Kinds.SECRET_RESOLVER, List.of(name), events);
  }

  /** Containers that are launched from now on have that resolver, once it has opened. */
  public void select(String name) {
    resolvers.select(List.of(name));
  }

  /**
   * The variables of a container that are secrets.
   *
   * @param secrets by the names of variables
   * @return fails with {@link LaunchException} where one is not known, or cannot be a variable
   */
  public CompletionStage<Map<String, String>> resolve(Map<String, Secret> secrets) {
    if (secrets.isEmpty()) {
      return CompletableFuture.completedStage(Map.of());
    }
    Selection<SecretResolver> selection = resolvers.now();
    CompletionStage<Map<String, String>> all =
        CompletableFuture.completedStage(new TreeMap<String, String>());
    for (Map.Entry<String, Secret> secret : secrets.entrySet()) {
      CompletionStage<String> one =
          resolve(selection.members().get(0), secret.getKey(), secret.getValue());
      all =
          all.thenCombine(
              one,
              (variables, value) -> {
                variables.put(secret.getKey(), value);
                return variables;
              });
    }
    return all.whenComplete((variables, failure) -> selection.close());
  }

  private static CompletionStage<String> resolve(
      Member<SecretResolver> resolver, String variable, Secret secret) {
    return resolver
        .lease()
        .ask(
            "resolve",
            module -> Objects.requireNonNull(module.resolve(secret), "resolve returned null"))
        .handle(
            (value, failure) -> {
              if (failure != null) {
                throw new CompletionException(
                    LaunchException.of(
                        "Variable '"
                            + variable
                            + "' has no value: secret resolver '"
                            + resolver.name()
                            + "'",
                        "install its module or give --secret_resolver another one",
                        failure));
              }
              return text(variable, value.getData());
            });
  }

  private static String text(String variable, ByteString data) {
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(data.toByteArray()))
              .toString();
      if (text.indexOf('\0') < 0) {
        return text;
      }
    } catch (CharacterCodingException e) {
      // Said below, without what it was.
    }
    throw new CompletionException(
        new LaunchException(
            "The secret of variable '"
                + variable
                + "' cannot be the value of a variable: it has to be UTF-8 without NUL"));
  }

  @Override
  public void close() {
    resolvers.close();
  }
}
