package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.agent.tokens.SignedTokens;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.daemon.border.BorderFlags;
import org.mezzo.fixtures.Await;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.link.messages.KillTask;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.executor.Call;

/** An agent that has the secrets of executors made by a module. */
class AgentSecretGeneratorTest extends RunningAgent {
  private static final byte[] KEY =
      "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.UTF_8);

  @BeforeEach
  void demandTokens() throws Exception {
    flags.put("authenticate_http_executors", "true");
    flags.put("jwt_secret_key", Files.write(folder.resolve("key"), KEY).toString());
  }

  private static ExecutorInfo.Builder executor(String id) {
    return ExecutorInfo.newBuilder()
        .setExecutorId(ExecutorID.newBuilder().setValue(id))
        .setFrameworkId(FRAMEWORK.getId())
        .setCommand(CommandInfo.newBuilder().setShell(true).setValue("env; sleep 1000"));
  }

  private void launch(String id) {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(FRAMEWORK)
                    .setLaunchExecutor(true)
                    .addTasks(
                        TaskInfo.newBuilder()
                            .setName(id)
                            .setTaskId(TaskID.newBuilder().setValue(id))
                            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
                            .addResources(Made.allocated(Made.scalar("cpus", 0.1), "test"))
                            .setExecutor(executor(id)))));
  }

  private Path sandbox(String id) {
    return folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/" + id + "/runs/latest");
  }

  /** The token that an executor found in its environment. */
  private String token(String id) throws Exception {
    Pattern line = Pattern.compile("(?m)^MESOS_EXECUTOR_AUTHENTICATION_TOKEN=(.*)\n");
    Path stdout = sandbox(id).resolve("stdout");
    Await.until(() -> Files.exists(stdout) && line.matcher(Files.readString(stdout)).find());
    Matcher found = line.matcher(Files.readString(stdout));
    assertThat(found.find()).isTrue();
    return found.group(1);
  }

  private int heartbeat(String id, String token) throws Exception {
    Call call =
        Call.newBuilder()
            .setType(Call.Type.HEARTBEAT)
            .setFrameworkId(FRAMEWORK.getId())
            .setExecutorId(ExecutorID.newBuilder().setValue(id))
            .build();
    return send(HttpRequest.newBuilder(uri("/api/v1/executor"))
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + token)
            .POST(HttpRequest.BodyPublishers.ofByteArray(Json.encode(call))))
        .statusCode();
  }

  private String failure(String id) throws Exception {
    launch(id);
    TaskStatus failed = master.next(TaskState.TASK_FAILED).getStatus();
    assertThat(failed.getReason()).isEqualTo(TaskStatus.Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(sandbox(id).resolve("stdout")).as("it was never launched").doesNotExist();
    return failed.getMessage();
  }

  @Test
  void withoutItsGeneratorNoExecutorIsLaunched() throws Exception {
    start();
    assertThat(failure("e"))
        .contains("secret generator 'jwt' is not available", "--secret_generator");
  }

  @Test
  void noExecutorIsLaunchedWithWhatAGeneratorThrowsOrTheAgentDoesNotKnow() throws Exception {
    SecretGenerator[] now = {
      principal -> {
        throw new IOException("the vault is sealed");
      }
    };
    modules.register(
        SecretGenerator.class,
        SecretGenerator.KIND,
        "jwt",
        () -> principal -> now[0].generate(principal));
    start();
    assertThat(failure("a")).contains("secret generator 'jwt' failed: the vault is sealed");
    now[0] = principal -> SignedTokens.secret("hush");
    assertThat(failure("b"))
        .contains("'jwt' made one that this agent does not know", "--jwt_secret_key")
        .doesNotContain("hush");
    now[0] = SignedTokens.generator(KEY);
    launch("c");
    assertThat(heartbeat("c", token("c"))).isEqualTo(202);
  }

  /** A generator that makes no secret of executor e before the test has one. */
  private CompletableFuture<Secret> hangingGenerator(CountDownLatch asked) {
    CompletableFuture<Secret> secret = new CompletableFuture<>();
    SecretGenerator usual = SignedTokens.generator(KEY);
    modules.register(
        Kinds.SECRET_GENERATOR,
        "jwt",
        (SecretGenerator)
            principal -> {
              if (!principal.claims().containsValue("e")) {
                return usual.generate(principal);
              }
              asked.countDown();
              return secret.get();
            });
    return secret;
  }

  @Test
  void theAgentGoesOnWhileAGeneratorHangsUntilTheLaunchFails() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    hangingGenerator(asked);
    start();
    launch("e");
    assertThat(asked.await(60, TimeUnit.SECONDS)).isTrue();
    launch("f");
    assertThat(heartbeat("f", token("f"))).isEqualTo(202);
    TaskStatus failed = master.next(TaskState.TASK_FAILED).getStatus();
    assertThat(failed.getTaskId().getValue()).isEqualTo("e");
    assertThat(failed.getMessage()).contains("secret generator 'jwt' failed");
    assertThat(sandbox("e").resolve("stdout")).doesNotExist();
  }

  @Test
  void aTaskThatIsKilledWhileItsSecretIsMadeIsNeverLaunched() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CompletableFuture<Secret> secret = hangingGenerator(asked);
    start();
    launch("e");
    assertThat(asked.await(60, TimeUnit.SECONDS)).isTrue();
    master.send(
        MasterEvent.newBuilder()
            .setKillTask(
                KillTask.newBuilder()
                    .setFrameworkId(FRAMEWORK.getId())
                    .setTaskId(TaskID.newBuilder().setValue("e"))));
    assertThat(master.next(TaskState.TASK_KILLED).getStatus().getTaskId().getValue())
        .isEqualTo("e");
    secret.complete(SignedTokens.secret("late"));
    launch("f");
    token("f");
    assertThat(sandbox("e").resolve("stdout")).doesNotExist();
  }

  /** The secret of each executor is its name. */
  private static HttpAuthenticator vaultsAuthenticator() {
    return new HttpAuthenticator() {
      @Override
      public String scheme() {
        return "Bearer";
      }

      @Override
      public Result authenticate(Request request) {
        Matcher secret =
            Pattern.compile("Bearer vault-(.*)-(.*)")
                .matcher(request.header("authorization").orElse(""));
        return secret.matches()
            ? Result.of(
                new Principal(
                    Optional.empty(),
                    Map.of("fid", "f-1", "eid", secret.group(1), "cid", secret.group(2))))
            : Result.refused("unknown");
      }
    };
  }

  @Test
  void anotherGeneratorTakesOverAndThoseOfBeforeStayIn() throws Exception {
    modules.register(Kinds.SECRET_GENERATOR, "jwt", SignedTokens.generator(KEY));
    modules.register(
        Kinds.SECRET_GENERATOR,
        "vault",
        (SecretGenerator)
            principal -> {
              Map<String, String> claims = principal.claims();
              return SignedTokens.secret(
                  "vault-" + claims.get("eid") + "-" + claims.get("cid").replace("-", ""));
            });
    modules.register(Kinds.HTTP_AUTHENTICATOR, "vault", vaultsAuthenticator());
    start();
    launch("a");
    String first = token("a");
    assertThat(heartbeat("a", first)).isEqualTo(202);
    assertThat(heartbeat("a", "vault-a-x")).isEqualTo(401);

    flags.put("secret_generator", "vault");
    flags.put("http_authenticators", "vault");
    AgentFlags next = read();
    BorderFlags border = next.daemon().border();
    agent.selectSecretGenerator(next.secretGenerator(), border);
    Await.until(() -> heartbeat("a", "vault-a-x") == 202);
    launch("b");
    String second = token("b");
    assertThat(second).startsWith("vault-b-");
    assertThat(heartbeat("b", second)).isEqualTo(202);
    assertThat(heartbeat("a", first)).as("of the generator before").isEqualTo(202);
    assertThat(heartbeat("a", second)).as("of another executor").isEqualTo(403);
    assertThat(heartbeat("b", "anything")).isEqualTo(401);
  }

  private AgentFlags read() throws FlagException {
    return AgentFlags.of(
        FlagDefinitions.read(Agent.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE))
            .parse(flags));
  }

  @Test
  void aGeneratorWhoseSecretsNobodyKnowsIsRefused() {
    flags.put("secret_generator", "vault");
    assertThatThrownBy(this::read)
        .isInstanceOf(FlagException.class)
        .hasMessageContainingAll("--secret_generator=vault", "--http_authenticators");
    flags.put("secret_generator", "jwt");
    flags.remove("jwt_secret_key");
    assertThatThrownBy(this::read).hasMessageContaining("needs --jwt_secret_key");
  }
}
