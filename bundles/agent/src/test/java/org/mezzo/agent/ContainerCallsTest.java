package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.recordio.RecordIo;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.agent.Response;

/** The calls of operators on containers, as clients see them, in words that a Mesos answers. */
class ContainerCallsTest extends RunningAgent {
  private static final String USER = System.getProperty("user.name");

  private final Set<Question> asked = ConcurrentHashMap.newKeySet();
  private volatile Predicate<Question> allows = question -> true;

  @BeforeEach
  void open() throws Exception {
    flags.put("acls", "{}");
    modules.register(
        Authorizer.class,
        Authorizer.KIND,
        "local",
        () ->
            (subject, actions) ->
                (action, object) -> {
                  Question question = new Question(action, object);
                  asked.add(question);
                  return allows.test(question);
                });
    start();
  }

  /** Agents that share a machine share names, too. */
  private final String sa1 = "sa1-" + UUID.randomUUID();

  private final String sa2 = "sa2-" + UUID.randomUUID();

  /** Standalone containers would run on. */
  @AfterEach
  void end() throws Exception {
    allows = question -> true;
    for (String each : new String[] {sa1, sa2}) {
      if (ask("KILL_CONTAINER", alone(each)).startsWith("200")) {
        ask("WAIT_CONTAINER", alone(each));
      }
      ask("REMOVE_CONTAINER", alone(each));
    }
  }

  private static Resource scalar(String name, double value) {
    return Made.allocated(Made.scalar(name, value), "test");
  }

  private void launch(String id, String script) throws Exception {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(FRAMEWORK)
                    .addTasks(
                        TaskInfo.newBuilder()
                            .setName(id)
                            .setTaskId(TaskID.newBuilder().setValue(id))
                            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
                            .addResources(scalar("cpus", 0.1))
                            .addResources(scalar("mem", 32))
                            .setCommand(
                                CommandInfo.newBuilder()
                                    .setShell(true)
                                    .setValue(script)
                                    .setEnvironment(
                                        Environment.newBuilder()
                                            .addVariables(
                                                Environment.Variable.newBuilder()
                                                    .setName("OF_THE_TASK")
                                                    .setValue("yes")))))));
    master.next(TaskState.TASK_STARTING);
  }

  /** A task that runs; the id of its container. */
  private String task() throws Exception {
    launch("t", "exec sleep 1000");
    return master
        .next(TaskState.TASK_RUNNING)
        .getStatus()
        .getContainerStatus()
        .getContainerId()
        .getValue();
  }

  private static String nested(String id, String parent) {
    return "\"container_id\":{\"value\":\"" + id + "\",\"parent\":{\"value\":\"" + parent + "\"}}";
  }

  private static String alone(String id) {
    return "\"container_id\":{\"value\":\"" + id + "\"}";
  }

  private static String shell(String script) {
    return ",\"command\":{\"value\":\"" + script + "\"}";
  }

  private String ask(String type, String content) throws Exception {
    HttpResponse<String> answer =
        call(
            "{\"type\":\""
                + type
                + "\",\""
                + type.toLowerCase(Locale.ROOT)
                + "\":{"
                + content
                + "}}");
    return answer.statusCode() + " " + answer.body();
  }

  private Response.GetContainers containers(String show) throws Exception {
    HttpResponse<String> answer =
        call("{\"type\":\"GET_CONTAINERS\",\"get_containers\":{" + show + "}}");
    assertThat(answer.statusCode()).isEqualTo(200);
    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
    return Json.decode(body, Response.getDefaultInstance()).getGetContainers();
  }

  @Test
  void aNestedContainerLivesInThatOfATask() throws Exception {
    String parent = task();
    assertThat(ask("LAUNCH_NESTED_CONTAINER", nested("n1", parent) + shell("echo nested; exit 5")))
        .isEqualTo("200 ");
    assertThat(ask("LAUNCH_NESTED_CONTAINER", nested("n1", parent) + shell("echo nested; exit 5")))
        .isEqualTo("202 ");
    assertThat(ask("WAIT_NESTED_CONTAINER", nested("n1", parent)))
        .isEqualTo(
            "200 {\"type\":\"WAIT_NESTED_CONTAINER\",\"wait_nested_container\":"
                + "{\"exit_status\":1280}}");
    assertThat(
            get("/files/download?path=/frameworks/f-1/executors/t/runs/latest/containers/n1/stdout")
                .body())
        .isEqualTo("nested\n");
    // How it ended is known for as long as its parent is.
    assertThat(ask("LAUNCH_CONTAINER", nested("n1", parent) + shell("true"))).isEqualTo("202 ");

    assertThat(ask("LAUNCH_CONTAINER", nested("n2", parent) + shell("exec sleep 1000")))
        .isEqualTo("200 ");
    assertThat(containers("").getContainersCount()).isEqualTo(1);
    assertThat(containers("\"show_standalone\":true").getContainersCount()).isEqualTo(1);
    Response.GetContainers.Container inner =
        containers("\"show_nested\":true,\"show_standalone\":true").getContainers(1);
    assertThat(inner.getContainerId().getValue()).isEqualTo("n2");
    assertThat(inner.getContainerId().hasParent()).isFalse();
    assertThat(inner.hasFrameworkId()).isFalse();
    assertThat(inner.getContainerStatus().getContainerId().getParent().getValue())
        .isEqualTo(parent);
    assertThat(inner.getContainerStatus().getExecutorPid()).isPositive();
    assertThat(inner.getResourceStatistics().getTimestamp()).isPositive();
    assertThat(ask("REMOVE_NESTED_CONTAINER", nested("n2", parent)))
        .isEqualTo("500 Container '" + parent + ".n2' has not ended; kill it and wait for it");
    assertThat(ask("KILL_NESTED_CONTAINER", nested("n2", parent))).isEqualTo("200 ");
    assertThat(ask("WAIT_CONTAINER", nested("n2", parent)))
        .isEqualTo("200 {\"type\":\"WAIT_CONTAINER\",\"wait_container\":{\"exit_status\":9}}");
    assertThat(ask("KILL_NESTED_CONTAINER", nested("n2", parent)))
        .isEqualTo("404 Container " + parent + ".n2 cannot be found");
    Path sandbox = sandbox("n1");
    assertThat(sandbox).exists();
    assertThat(ask("REMOVE_NESTED_CONTAINER", nested("n1", parent))).isEqualTo("200 ");
    assertThat(sandbox).doesNotExist();
    assertThat(ask("REMOVE_NESTED_CONTAINER", nested("n1", parent))).isEqualTo("200 ");
    assertThat(ask("WAIT_NESTED_CONTAINER", nested("n1", parent)))
        .isEqualTo("404 Container " + parent + ".n1 cannot be found");
  }

  private Path sandbox(String id) throws Exception {
    try (var all = Files.walk(folder.resolve("work"))) {
      return all.filter(path -> path.endsWith("containers/" + id)).findFirst().orElseThrow();
    }
  }

  @Test
  void aNestedContainerSeesWhatItsTaskDoesAndGoesWithIt() throws Exception {
    String parent = task();
    String script = "env >part; mv part variables; echo inner >&2; exec sleep 1000";
    assertThat(ask("LAUNCH_NESTED_CONTAINER", nested("n", parent) + shell(script)))
        .isEqualTo("200 ");
    Path variables = sandbox("n").resolve("variables");
    Await.until(() -> Files.exists(variables));
    assertThat(Files.readString(variables))
        .contains("OF_THE_TASK=yes\n", "MESOS_TASK_ID=t\n")
        .contains("MESOS_SANDBOX=" + variables.getParent() + "\n");
    assertThat(
            ask(
                "LAUNCH_NESTED_CONTAINER",
                "\"container_id\":{\"value\":\"deep\",\"parent\":{\"value\":\"n\",\"parent\":"
                    + "{\"value\":\""
                    + parent
                    + "\"}}}"
                    + shell("exit 3")))
        .isEqualTo("200 ");
    CompletableFuture<HttpResponse<String>> waits =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return call(
                    "{\"type\":\"WAIT_CONTAINER\",\"wait_container\":{"
                        + nested("n", parent)
                        + "}}");
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    assertThat(ask("KILL_CONTAINER", alone(parent) + ",\"signal\":15")).isEqualTo("200 ");
    master.next(TaskState.TASK_FAILED);
    assertThat(waits.get(60, TimeUnit.SECONDS).body()).contains("\"exit_status\":9");
  }

  private static TaskInfo.Builder inGroup(String id, String script) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("m-S0"))
        .addResources(scalar("cpus", 0.1))
        .addResources(scalar("mem", 32))
        .setCommand(CommandInfo.newBuilder().setShell(true).setValue(script));
  }

  @Test
  void thoseOfAGroupAreNestedInTheirExecutors() throws Exception {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(FRAMEWORK)
                    .setLaunchExecutor(true)
                    .setGroupExecutor(
                        ExecutorInfo.newBuilder()
                            .setType(ExecutorInfo.Type.DEFAULT)
                            .setExecutorId(ExecutorID.newBuilder().setValue("dex"))
                            .setFrameworkId(FRAMEWORK.getId())
                            .addResources(scalar("cpus", 0.1))
                            .addResources(scalar("mem", 32)))
                    .addTasks(inGroup("a", "exec sleep 1000"))
                    .addTasks(inGroup("b", "exec sleep 1000"))));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_STARTING);
    ContainerID first =
        master.next(TaskState.TASK_RUNNING).getStatus().getContainerStatus().getContainerId();
    master.next(TaskState.TASK_RUNNING);
    String executor = first.getParent().getValue();
    Response.GetContainers all = containers("\"show_nested\":true,\"show_standalone\":true");
    assertThat(all.getContainersCount()).isEqualTo(3);
    assertThat(all.getContainers(0).getExecutorId().getValue()).isEqualTo("dex");
    assertThat(all.getContainers(0).getContainerId().getValue()).isEqualTo(executor);
    assertThat(all.getContainersList().stream().skip(1))
        .allMatch(
            it -> it.getContainerStatus().getContainerId().getParent().getValue().equals(executor))
        .allMatch(it -> it.getResourceStatistics().getMemLimitBytes() == 32 << 20)
        .allMatch(it -> it.getContainerStatus().getExecutorPid() > 0);
    // One beside the tasks, and one in a task's.
    assertThat(ask("LAUNCH_NESTED_CONTAINER", nested("x", executor) + shell("pwd; exit 3")))
        .isEqualTo("200 ");
    assertThat(ask("WAIT_NESTED_CONTAINER", nested("x", executor))).contains("768");
    assertThat(
            get("/files/read?offset=0&path=/frameworks/f-1/executors/dex/runs/latest/containers/x/"
                    + "stdout")
                .body())
        .contains("runs/" + executor + "/containers/x\\n");
    String inTask =
        "\"container_id\":{\"value\":\"y\",\"parent\":"
            + "{\"value\":\""
            + first.getValue()
            + "\",\"parent\":{\"value\":\""
            + executor
            + "\"}}}";
    assertThat(ask("LAUNCH_CONTAINER", inTask + shell("test -n \\\"$MESOS_TASK_ID\\\"")))
        .isEqualTo("200 ");
    assertThat(ask("WAIT_CONTAINER", inTask)).contains("\"exit_status\":0");
    ask("LAUNCH_CONTAINER", nested("z", executor) + shell("exec sleep 1000"));
    assertThat(ask("KILL_CONTAINER", nested(first.getValue(), executor))).isEqualTo("200 ");
    master.next(TaskState.TASK_FAILED);
    master.next(TaskState.TASK_KILLING);
    master.next(TaskState.TASK_KILLED);
    // What operators have put there goes with the executor.
    Await.until(() -> containers("\"show_nested\":true").getContainersCount() == 0);
  }

  @Test
  void aStandaloneContainerOutlivesTheAgent() throws Exception {
    String resources =
        ",\"resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":0.1}},"
            + "{\"name\":\"mem\",\"type\":\"SCALAR\",\"scalar\":{\"value\":32}}]";
    assertThat(
            ask("LAUNCH_CONTAINER", alone(sa1) + shell("echo hello; exec sleep 1000") + resources))
        .isEqualTo("200 ");
    assertThat(ask("LAUNCH_CONTAINER", alone(sa2) + shell("exit 7"))).isEqualTo("200 ");
    assertThat(ask("WAIT_CONTAINER", alone(sa2))).contains("\"exit_status\":1792");
    assertThat(ask("LAUNCH_CONTAINER", nested("in", sa1) + shell("exec sleep 1000")))
        .isEqualTo("200 ");
    String asked = "\"show_nested\":true,\"show_standalone\":true";
    // How one ended is known a little before it is gone.
    Await.until(() -> containers(asked).getContainersCount() == 2);
    Response.GetContainers all = containers(asked);
    assertThat(all.getContainers(0).getContainerId().getValue()).isEqualTo(sa1);
    assertThat(all.getContainers(0).getResourceStatistics().getMemLimitBytes())
        .isEqualTo(32L << 20);
    assertThat(containers("\"show_standalone\":true").getContainersCount()).isEqualTo(1);
    agent.close();
    start();
    assertThat(ask("WAIT_CONTAINER", alone(sa2))).contains("\"exit_status\":1792");
    assertThat(containers(asked).getContainersCount()).isEqualTo(2);
    Await.until(
        "it has said it",
        () -> get("/files/download?path=/containers/" + sa1 + "/stdout").body().equals("hello\n"));
    assertThat(ask("KILL_CONTAINER", alone(sa1))).isEqualTo("200 ");
    assertThat(ask("WAIT_CONTAINER", alone(sa1)))
        .isEqualTo("200 {\"type\":\"WAIT_CONTAINER\",\"wait_container\":{\"exit_status\":9}}");
    assertThat(folder.resolve("work/containers/" + sa1)).exists();
    assertThat(ask("REMOVE_CONTAINER", alone(sa1))).isEqualTo("200 ");
    assertThat(folder.resolve("work/containers/" + sa1)).doesNotExist();
    assertThat(ask("WAIT_CONTAINER", alone(sa1)))
        .isEqualTo("404 Container " + sa1 + " cannot be found");
    assertThat(get("/files/download?path=/containers/" + sa1 + "/stdout").statusCode())
        .isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "WAIT_NESTED_CONTAINER | `\"container_id\":{\"value\":\"x\",\"parent\":{\"value\":\"y\"}}`"
            + " | 404 Container y.x cannot be found",
        "WAIT_CONTAINER | `\"container_id\":{\"value\":\"x\"}` | 404 Container x cannot be found",
        "KILL_CONTAINER | `\"container_id\":{\"value\":\"x\"}` | 404 Container x cannot be found",
        "REMOVE_CONTAINER | `\"container_id\":{\"value\":\"x\"}` | `200 `",
        "REMOVE_NESTED_CONTAINER |"
            + " `\"container_id\":{\"value\":\"x\",\"parent\":{\"value\":\"y\"}}` | 500 Unknown"
            + " container y.x",
        "LAUNCH_NESTED_CONTAINER |"
            + " `\"container_id\":{\"value\":\"n9\",\"parent\":{\"value\":\"zz\"}},\"command\":{\"value\":\"true\"}`"
            + " | 400 Parent container zz does not exist",
        "LAUNCH_NESTED_CONTAINER |"
            + " `\"container_id\":{\"value\":\"n9\"},\"command\":{\"value\":\"true\"}` | 400 Failed"
            + " to validate agent::Call: Expecting 'launch_nested_container.container_id.parent' to"
            + " be present",
        "KILL_NESTED_CONTAINER | `\"container_id\":{\"value\":\"n9\"}` | 400 Failed to validate"
            + " agent::Call: Expecting 'kill_nested_container.container_id.parent' to be present",
        "WAIT_NESTED_CONTAINER | `\"container_id\":{\"value\":\"n9\"}` | 400 Failed to validate"
            + " agent::Call: Expecting 'wait_nested_container.container_id.parent' to be present",
        "REMOVE_NESTED_CONTAINER | `\"container_id\":{\"value\":\"n9\"}` | 400 Failed to validate"
            + " agent::Call: Expecting 'remove_nested_container.container_id.parent' to be present",
        "LAUNCH_CONTAINER | `\"container_id\":{\"value\":\"a\"}` | 400 Failed to validate"
            + " agent::Call: Expecting 'launch_container.command' to be present",
        "LAUNCH_CONTAINER | `\"container_id\":{\"value\":\"a\"},\"command\":{}` | 400 Failed to"
            + " validate agent::Call: Expecting 'launch_container.command.value' to be present",
        "KILL_CONTAINER | `\"container_id\":{\"value\":\"a\"},\"signal\":65` | 400 Failed to"
            + " validate agent::Call: 'kill_container.signal' is 65: give the number of a signal,"
            + " from 1 to 64",
        "LAUNCH_CONTAINER |"
            + " `\"container_id\":{\"value\":\"a\"},\"command\":{\"value\":\"true\"},\"container\":{\"type\":\"DOCKER\"}`"
            + " | 400 This agent does not provide `container.type` yet; leave it out",
        "LAUNCH_CONTAINER |"
            + " `\"container_id\":{\"value\":\"a\"},\"command\":{\"value\":\"true\"},\"container\":{\"type\":\"MESOS\",\"linux_info\":{\"share_cgroups\":true}}`"
            + " | 400 Failed to validate agent::Call:"
            + " 'launch_container.container.linux_info.share_cgroups' cannot be true of a container"
            + " without a parent",
        "LAUNCH_CONTAINER |"
            + " `\"container_id\":{\"value\":\"a\",\"parent\":{\"value\":\"b\"}},\"command\":{\"value\":\"true\"},\"container\":{\"type\":\"MESOS\",\"linux_info\":{\"share_cgroups\":false}}`"
            + " | 400 Failed to validate agent::Call:"
            + " 'launch_container.container.linux_info.share_cgroups' cannot be false: what limits"
            + " a container limits those in it; leave it out",
        "LAUNCH_CONTAINER |"
            + " `\"container_id\":{\"value\":\"a\",\"parent\":{\"value\":\"b\",\"parent\":{\"value\":\"c\"}}},\"command\":{\"value\":\"true\"},\"resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":1}}]`"
            + " | 400 Failed to validate agent::Call: 'launch_container.resources' and 'limits'"
            + " cannot be given to a container at the second level of nesting or deeper; leave them"
            + " out",
        "LAUNCH_CONTAINER |"
            + " `\"container_id\":{\"value\":\"a\"},\"command\":{\"value\":\"true\"},\"resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":1},\"reservations\":[{\"type\":\"DYNAMIC\",\"role\":\"r\"}]}]`"
            + " | 400 Failed to validate agent::Call: 'launch_container.resources' have to be"
            + " unreserved, neither revocable nor persistent volumes",
      })
  void badInputIsNamed(String type, String content, String answer) throws Exception {
    assertThat(ask(type, content)).isEqualTo(answer);
  }

  private String records(String... calls) throws Exception {
    java.io.ByteArrayOutputStream body = new java.io.ByteArrayOutputStream();
    for (String call : calls) {
      body.write(RecordIo.frame(call.getBytes(StandardCharsets.UTF_8)));
    }
    HttpResponse<String> answer =
        send(
            HttpRequest.newBuilder(uri("/api/v1"))
                .header("Content-Type", "application/recordio")
                .header("Message-Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray())));
    return answer.statusCode() + " " + answer.body();
  }

  private static String input(String content) {
    return "{\"type\":\"ATTACH_CONTAINER_INPUT\",\"attach_container_input\":{" + content + "}}";
  }

  @Test
  void whatCannotBeAttachedToSaysSo() throws Exception {
    String parent = task();
    String unknown = "\"container_id\":{\"value\":\"x\"}";
    assertThat(ask("ATTACH_CONTAINER_OUTPUT", unknown))
        .isEqualTo("404 Container x cannot be found");
    assertThat(ask("ATTACH_CONTAINER_OUTPUT", alone(parent)))
        .isEqualTo("500 I/O switchboard server was disabled for this container");
    assertThat(ask("ATTACH_CONTAINER_INPUT", "\"type\":\"CONTAINER_ID\"," + unknown))
        .isEqualTo(
            "415 Expecting 'Content-Type' to be application/recordio for ATTACH_CONTAINER_INPUT"
                + " call");
    String first = input("\"type\":\"CONTAINER_ID\"," + unknown);
    assertThat(records(first)).isEqualTo("404 Container x cannot be found");
    assertThat(records(input("\"type\":\"CONTAINER_ID\"," + alone(parent))))
        .isEqualTo("500 I/O switchboard server was disabled for this container");
    assertThat(records("{\"type\":\"GET_HEALTH\"}"))
        .isEqualTo(
            "415 Streaming 'Content-Type' application/recordio is not supported for GET_HEALTH"
                + " call");
    assertThat(
            records(
                input(
                    "\"type\":\"PROCESS_IO\",\"process_io\":{\"type\":\"DATA\",\"data\":"
                        + "{\"type\":\"STDIN\",\"data\":\"\"}}")))
        .isEqualTo("400 Expecting 'attach_container_input.type' to be CONTAINER_ID at first");
    assertThat(ended("exit 5")).isEqualTo("500 Container " + parent + ".over has ended");
  }

  /** What who attaches to a container is told that has ended. */
  private String ended(String script) throws Exception {
    String parent = containers("").getContainers(0).getContainerId().getValue();
    ask("LAUNCH_CONTAINER", nested("over", parent) + shell(script));
    ask("WAIT_CONTAINER", nested("over", parent));
    Await.until(() -> containers("\"show_nested\":true").getContainersCount() == 1);
    return records(input("\"type\":\"CONTAINER_ID\"," + nested("over", parent)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"a\":1` | Expecting 'attach_container_input.type' to be present",
        "`\"type\":\"CONTAINER_ID\"` | Expecting 'attach_container_input.container_id' to be"
            + " present",
        "`\"type\":\"PROCESS_IO\"` | Expecting 'attach_container_input.process_io' to be present",
        "`\"type\":\"PROCESS_IO\",\"process_io\":{}` | Expecting"
            + " 'attach_container_input.process_io.type' to be present",
        "`\"type\":\"PROCESS_IO\",\"process_io\":{\"type\":\"DATA\"}` | Expecting"
            + " 'attach_container_input.process_io.data' to be present",
        "`\"type\":\"PROCESS_IO\",\"process_io\":{\"type\":\"DATA\",\"data\":{\"type\":\"STDOUT\"}}`"
            + " | Expecting 'attach_container_input.process_io.data.type' to be STDIN",
        "`\"type\":\"PROCESS_IO\",\"process_io\":{\"type\":\"CONTROL\"}` | Expecting"
            + " 'attach_container_input.process_io.control.type' to be present",
        "`\"type\":\"PROCESS_IO\",\"process_io\":{\"type\":\"CONTROL\",\"control\":{\"type\":\"TTY_INFO\",\"tty_info\":{\"window_size\":{\"rows\":70000,\"columns\":1}}}}`"
            + " | 'attach_container_input.process_io.control.tty_info.window_size' is invalid: A"
            + " window of 70000 rows",
        "`\"type\":\"PROCESS_IO\",\"process_io\":{\"type\":\"CONTROL\",\"control\":{\"type\":\"TTY_INFO\"}}`"
            + " | Expecting 'attach_container_input.process_io.control.tty_info.window_size' to be"
            + " present",
      })
  void badInputOfAStreamIsNamed(String content, String answer) throws Exception {
    assertThat(records(input(content))).startsWith("400 Failed to validate agent::Call: " + answer);
  }

  @Test
  void aSessionThatTheLauncherCannotGiveIsRefused() throws Exception {
    flags.put("launcher", "shell");
    agent.close();
    start();
    String parent = task();
    assertThat(ask("LAUNCH_NESTED_CONTAINER_SESSION", nested("s", parent) + shell("true")))
        .startsWith("400 The launcher of this agent cannot do 'attach', which container")
        .endsWith("the native launcher can");
    assertThat(
            ask(
                "LAUNCH_CONTAINER",
                nested("tty", parent)
                    + shell("true")
                    + ",\"container\":{\"type\":\"MESOS\",\"tty_info\":{}}"))
        .contains("cannot do 'attach', 'terminal'");
  }

  @ParameterizedTest
  @CsvSource({"a.b", "a b", "a/b", "''"})
  void anIdThatNamesNoContainerIsRefused(String id) throws Exception {
    for (String type :
        new String[] {
          "LAUNCH_CONTAINER",
          "WAIT_CONTAINER",
          "KILL_CONTAINER",
          "REMOVE_CONTAINER",
          "LAUNCH_NESTED_CONTAINER",
          "WAIT_NESTED_CONTAINER",
          "KILL_NESTED_CONTAINER",
          "REMOVE_NESTED_CONTAINER"
        }) {
      assertThat(ask(type, nested("x", id)))
          .startsWith(
              "400 Failed to validate agent::Call: '"
                  + type.toLowerCase(Locale.ROOT)
                  + ".container_id' is invalid: ");
    }
  }

  @Test
  void leaveIsAskedAboutTheUserOfTheExecutor() throws Exception {
    String parent = task();
    allows = question -> false;
    for (String type : new String[] {"WAIT", "KILL", "REMOVE", "LAUNCH"}) {
      for (String kind : new String[] {"_CONTAINER", "_NESTED_CONTAINER"}) {
        asked.clear();
        assertThat(ask(type + kind, nested("n", parent) + shell("true")))
            .as(type + kind)
            .isEqualTo("403 403 Forbidden.");
        Question question = asked.iterator().next();
        assertThat(question.action()).isEqualTo(Action.valueOf(type + "_NESTED_CONTAINER"));
        assertThat(question.object().value()).contains(USER);
        assertThat(question.object().frameworkInfo()).contains(FRAMEWORK);
        assertThat(question.object().parentUser())
            .isEqualTo(type.equals("LAUNCH") ? Optional.of(USER) : Optional.empty());
      }
      asked.clear();
      assertThat(ask(type + "_CONTAINER", alone("a") + shell("true")))
          .isEqualTo("403 403 Forbidden.");
      assertThat(asked)
          .containsExactly(Question.anything(Action.valueOf(type + "_STANDALONE_CONTAINER")));
    }
    assertThat(folder.resolve("work/containers")).doesNotExist();
    asked.clear();
    assertThat(
            ask("LAUNCH_NESTED_CONTAINER_SESSION", nested("n", parent) + shell("true"))
                + ask("ATTACH_CONTAINER_OUTPUT", alone(parent))
                + records(input("\"type\":\"CONTAINER_ID\"," + alone(parent))))
        .isEqualTo("403 403 Forbidden.".repeat(3));
    assertThat(asked)
        .allMatch(question -> question.object().value().equals(Optional.of(USER)))
        .extracting(Question::action)
        .containsExactlyInAnyOrder(
            Action.LAUNCH_NESTED_CONTAINER_SESSION,
            Action.ATTACH_CONTAINER_OUTPUT,
            Action.ATTACH_CONTAINER_INPUT);
    allows = question -> true;
    ask("LAUNCH_CONTAINER", alone(sa1) + shell("exec sleep 1000"));
    ask("LAUNCH_CONTAINER", nested("n", parent) + shell("exec sleep 1000"));
    String all = "\"show_nested\":true,\"show_standalone\":true";
    assertThat(containers(all).getContainersCount()).isEqualTo(3);
    allows = question -> question.action() != Action.VIEW_STANDALONE_CONTAINER;
    assertThat(containers(all).getContainersCount()).isEqualTo(2);
    allows = question -> question.action() != Action.VIEW_CONTAINER;
    assertThat(containers(all).getContainersCount()).isEqualTo(1);
  }
}
