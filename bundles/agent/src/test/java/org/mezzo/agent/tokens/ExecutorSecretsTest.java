package org.mezzo.agent.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.Secret;

class ExecutorSecretsTest {
  private static final byte[] KEY =
      "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.UTF_8);

  private final LocalModules modules = new LocalModules();
  private volatile Secret next = Secret.getDefaultInstance();

  @AfterEach
  void close() {
    modules.close();
  }

  private ExecutorSecrets generator(String name) {
    modules.register(Kinds.SECRET_GENERATOR, name, (SecretGenerator) principal -> next);
    return new ExecutorSecrets(
        modules.of(LocalModules.daemon("agent", Role.AGENT, Path.of("/nowhere"))),
        Optional.of(name),
        Optional.of(new ExecutorTokens(KEY)),
        Runnable::run);
  }

  private static Optional<String> made(ExecutorSecrets secrets) throws Exception {
    return secrets.of("f", "e", "c").toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static Secret bytes(String text) {
    return SignedTokens.secret(text);
  }

  @Test
  void withoutAGeneratorThereAreNone() throws Exception {
    try (ExecutorSecrets secrets =
        new ExecutorSecrets(
            modules.of(LocalModules.daemon("agent", Role.AGENT, Path.of("/nowhere"))),
            Optional.empty(),
            Optional.empty(),
            Runnable::run)) {
      assertThat(made(secrets)).isEmpty();
    }
  }

  @Test
  void refusesWhatIsNoVariableOrHeaderAndNeverTellsIt() throws Exception {
    try (ExecutorSecrets secrets = generator("vault")) {
      Secret.Value hush =
          Secret.Value.newBuilder().setData(ByteString.copyFromUtf8("hush")).build();
      Secret reference =
          Secret.newBuilder()
              .setType(Secret.Type.REFERENCE)
              .setReference(Secret.Reference.newBuilder().setName("hush"))
              .build();
      List<Secret> unusable =
          List.of(
              Secret.getDefaultInstance(),
              reference,
              reference.toBuilder().setValue(hush).build(),
              Secret.newBuilder().setValue(hush).build(),
              Secret.newBuilder().setType(Secret.Type.VALUE).build(),
              bytes(""),
              bytes("x".repeat(ExecutorSecrets.LONGEST + 1)),
              bytes("hush\r\nX-Evil: 1"),
              bytes("hush\n"),
              bytes("hu sh"),
              bytes("hush\0"),
              bytes("hush\u007f"),
              bytes("h\u00fcsh"));
      for (Secret one : unusable) {
        next = one;
        assertThatThrownBy(() -> made(secrets))
            .hasMessageContainingAll("secret generator 'vault' made one", "--secret_generator")
            .message()
            .doesNotContain("hush")
            .doesNotContain("xxx");
      }
      next = bytes("!~" + "x".repeat(ExecutorSecrets.LONGEST - 2));
      assertThat(made(secrets)).hasValue(next.getValue().getData().toStringUtf8());
    }
  }

  @Test
  void whatJwtMakesIsKnownToTheAgentItself() throws Exception {
    try (ExecutorSecrets secrets = generator("jwt")) {
      next = bytes(SignedTokens.of(KEY, "f", "e", "c"));
      assertThat(made(secrets)).hasValue(next.getValue().getData().toStringUtf8());
      for (Secret foreign :
          List.of(
              bytes(SignedTokens.of(KEY, "f", "e", "c2")),
              bytes(SignedTokens.of(new byte[] {1}, "f", "e", "c")),
              bytes("hush"))) {
        next = foreign;
        assertThatThrownBy(() -> made(secrets)).hasMessageContaining("--jwt_secret_key");
      }
    }
  }
}
