package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.TextFormat;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.protocol.v1.TaskInfo;

class TaskDemandsTest {
  private static final String REST = "name: 't' task_id { value: 't' } agent_id { value: 'a' } ";

  private static TaskInfo task(String text) throws Exception {
    return TextFormat.parse(REST + text, TaskInfo.class);
  }

  @Test
  void everyFieldIsDecided() {
    List<String> undecided = new ArrayList<>();
    List<String> fields = new ArrayList<>();
    for (Descriptor message : TaskDemands.LOOKED_INTO) {
      for (FieldDescriptor field : message.getFields()) {
        String name = TaskDemands.name(field);
        fields.add(name);
        int decisions =
            (TaskDemands.TAKEN.contains(name) ? 1 : 0)
                + (TaskDemands.REFUSED.containsKey(name) ? 1 : 0)
                + (TaskDemands.lookedInto(field) ? 1 : 0);
        if (decisions != 1) {
          undecided.add(name);
        }
      }
    }
    assertThat(undecided).isEmpty();
    assertThat(fields).containsAll(TaskDemands.TAKEN).containsAll(TaskDemands.REFUSED.keySet());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "container { type: DOCKER docker { image: 'i' } } | container.type",
        "container { type: MESOS volumes { container_path: 'p' mode: RW image { type: APPC } } }"
            + " | container.volumes.image",
        "container { type: MESOS volumes { container_path: 'p' mode: RW source { type: SECRET } } }"
            + " | container.volumes.source.type",
        "container { type: MESOS volumes { container_path: 'p' mode: RW source { type: HOST_PATH"
            + " host_path { path: '/h' mount_propagation { mode: BIDIRECTIONAL } } } } }"
            + " | container.volumes.source.host_path.mount_propagation.mode",
        "container { type: MESOS hostname: 'h' } | container.hostname",
        "container { type: MESOS mesos { image { type: DOCKER docker { name: 'i' } } } }"
            + " | container.mesos.image",
        "container { type: MESOS network_infos { name: 'n' } } | container.network_infos.name",
        "container { type: MESOS network_infos { ip_addresses { } ip_addresses { ip_address:"
            + " '10.0.0.1' } } } | container.network_infos.ip_addresses.ip_address",
        "container { type: MESOS network_infos { port_mappings { host_port: 1 container_port: 2 } }"
            + " } | container.network_infos.port_mappings",
        "container { type: MESOS linux_info { effective_capabilities { capabilities: NET_RAW } } }"
            + " | container.linux_info.effective_capabilities",
        "container { type: MESOS linux_info { capability_info { } } }"
            + " | container.linux_info.capability_info",
        "container { type: MESOS linux_info { seccomp { profile_name: 'p' } } }"
            + " | container.linux_info.seccomp.profile_name",
        "container { type: MESOS linux_info { ipc_mode: PRIVATE } }"
            + " | container.linux_info.ipc_mode",
        "container { type: MESOS linux_info { shm_size: 64 } } | container.linux_info.shm_size",
        "container { type: MESOS linux_info { share_pid_namespace: false } }"
            + " | container.linux_info.share_pid_namespace"
      })
  void refusesByNameWhatNobodyProvides(String text, String field) throws Exception {
    assertThat(TaskDemands.refusal(task(text)))
        .contains("This agent does not provide `" + field + "` yet; leave it out");
  }

  @Test
  void volumesAreOfSandboxesAndSharedWithWhatIsAround() throws Exception {
    String volume =
        "volumes { container_path: 'at' mode: RW source { type: SANDBOX_PATH sandbox_path { type:"
            + " %s path: 'folder' } } }";
    String executor =
        "executor { executor_id { value: 'e' } type: %s container { type: MESOS %s } }";
    TaskInfo parents = task("container { type: MESOS " + volume.formatted("PARENT") + " }");
    TaskInfo own = task("container { type: MESOS " + volume.formatted("SELF") + " }");
    assertThat(TaskDemands.refusal(parents)).isEmpty();
    assertThat(TaskDemands.volumes(parents, true, false)).isEmpty();
    assertThat(TaskDemands.volumes(own, false, false)).isEmpty();
    assertThat(TaskDemands.volumes(parents, false, false))
        .hasValueSatisfying(
            text -> assertThat(text).contains("type PARENT", "launch it in a group"));
    assertThat(
            TaskDemands.volumes(
                task(executor.formatted("DEFAULT", volume.formatted("SELF"))), true, false))
        .hasValueSatisfying(text -> assertThat(text).contains("give them to its tasks"));
    TaskInfo host =
        task("container { type: MESOS volumes { container_path: '/p' mode: RO host_path: '/h' } }");
    assertThat(TaskDemands.refusal(host)).isEmpty();
    assertThat(TaskDemands.volumes(host, true, true)).isEmpty();
    assertThat(TaskDemands.volumes(host, true, false))
        .hasValueSatisfying(text -> assertThat(text).contains("--isolation=filesystem/linux"));
    TaskInfo custom = task(executor.formatted("CUSTOM", volume.formatted("SELF")));
    assertThat(TaskDemands.volumes(custom, false, false)).isEmpty();
    // What tasks of a custom executor ask for is between them.
    assertThat(
            TaskDemands.volumes(
                custom.toBuilder().setContainer(parents.getContainer()).build(), false, false))
        .isEmpty();
    assertThat(
            TaskDemands.volumes(
                task(executor.formatted("CUSTOM", volume.formatted("PARENT"))), false, false))
        .isPresent();
  }

  @Test
  void aTerminalIsOfASizeThatCanBe() throws Exception {
    assertThat(
            TaskDemands.refusal(
                task(
                    "container { type: MESOS tty_info { window_size { rows: 65535 columns: 1 } }"
                        + " }")))
        .isEmpty();
    assertThat(
            TaskDemands.refusal(
                task(
                    "container { type: MESOS tty_info { window_size { rows: 4294967295 columns: 1 }"
                        + " } }")))
        .contains(
            "A terminal has at most 65535 rows and columns; change"
                + " `container.tty_info.window_size`");
  }

  @Test
  void refusesVariablesOfATypeThatItDoesNotKnow() throws Exception {
    assertThat(
            TaskDemands.refusal(
                task(
                    "command { value: 'true' environment { variables { name: 'PLAIN' value: 'v' }"
                        + " variables { name: 'S' type: SECRET secret { type: REFERENCE reference {"
                        + " name: 'r' } } } variables { name: 'KEY' type: UNKNOWN } } }")))
        .hasValueSatisfying(
            message ->
                assertThat(message).contains("SECRET", "'KEY'").doesNotContain("'PLAIN'", "'S'"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "health_check { type: COMMAND command { value: 'x' uris { value: 'http://h/f' } } }",
        "check { type: COMMAND command { command { value: 'x' uris { value: 'http://h/f' } } } }"
      })
  void refusesChecksThatWantFiles(String text) throws Exception {
    assertThat(TaskDemands.refusal(task(text)))
        .hasValueSatisfying(message -> assertThat(message).contains("check", ".uris"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "health_check { type: HTTP delay_seconds: 1 interval_seconds: 2 timeout_seconds: 3"
            + " consecutive_failures: 4 grace_period_seconds: 5 http { protocol: IPv6 scheme:"
            + " 'https' port: 1 path: '/' statuses: 200 } }",
        "health_check { type: TCP tcp { protocol: IPv4 port: 1 } }",
        "check { type: HTTP http { port: 1 path: '/' } } ",
        "check { type: TCP tcp { port: 1 } } ",
        "check { type: COMMAND command { command { shell: false arguments: 'ls' user: 'u'"
            + " environment { variables { name: 'A' value: 'b' } } } } }",
        "command { value: 'ls' shell: false arguments: 'ls' user: 'u' environment { variables {"
            + " name: 'A' value: 'b' type: VALUE } variables { name: 'E' value: '' } }"
            + " uris { value: 'http://h/f' executable: true extract: false cache: true"
            + " output_file: 'f' } }",
        "command { value: 'x' } container { type: MESOS }",
        "command { value: 'x' } container { type: MESOS mesos { } network_infos { ip_addresses {"
            + " protocol: IPv4 } labels { labels { key: 'k' } } } rlimit_info { } linux_info {"
            + " share_pid_namespace: true share_cgroups: true ipc_mode: SHARE_PARENT seccomp {"
            + " unconfined: true } } }",
        "command { value: 'x' } kill_policy { } labels { } discovery { visibility: CLUSTER }"
            + " max_completion_time { nanoseconds: 1 } data: 'd'"
      })
  void takesWhatIsProvidedOrSaysNothing(String text) throws Exception {
    assertThat(TaskDemands.refusal(task(text))).isEmpty();
  }
}
