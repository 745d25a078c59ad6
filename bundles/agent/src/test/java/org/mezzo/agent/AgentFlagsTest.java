package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.agent.checkpoint.Reconfiguration;
import org.mezzo.agent.sandboxes.SandboxRetention;
import org.mezzo.agent.tasks.TaskEnvironment;
import org.mezzo.containerizer.ContainerizerOptions.CgroupRoot;
import org.mezzo.containerizer.ContainerizerOptions.Logging;
import org.mezzo.flags.FlagException;

class AgentFlagsTest {
  private static AgentFlags flags(Map<String, String> given) throws FlagException {
    Map<String, String> all = new HashMap<>(Map.of("master", "here:5050", "work_dir", "/work"));
    all.putAll(given);
    all.values().removeIf(String::isEmpty);
    return AgentFlags.of(AgentDaemon.definitions().parse(all));
  }

  @Test
  void findsItsMasterAsTheFlagsSay() throws Exception {
    assertThat(flags(Map.of("master", "zk://h:2181/m")).registration().detection())
        .isEqualTo("zookeeper");
    assertThat(flags(Map.of("master_detector", "own")).registration().detection()).isEqualTo("own");
    assertThat(flags(Map.of("master", "", "master_detector", "own")).registration().detection())
        .isEqualTo("own");
  }

  @Test
  void hasTheDefaultsOfTheTable() throws Exception {
    AgentFlags flags = flags(Map.of("runtime_dir", "/run/own"));
    assertThat(flags.registration().master()).contains("here:5050");
    assertThat(flags.registration().detection()).isEqualTo("standalone");
    assertThat(flags.recovering().reconfiguration()).isEqualTo(Reconfiguration.ADDITIVE);
    assertThat(flags.sandboxes())
        .isEqualTo(new SandboxRetention(Duration.ofDays(7), 0.1, Duration.ofMinutes(1), false));
    assertThat(flags.tasks().limits().shutdownGrace()).isEqualTo(Duration.ofSeconds(5));
    assertThat(flags.tasks().times())
        .isEqualTo(new TaskEnvironment.Times("5secs", "15mins", "2secs"));
    assertThat(flags.containers().isolation()).containsExactly("posix/cpu", "posix/mem");
    assertThat(flags.containers().cgroups())
        .contains(new CgroupRoot(Path.of("/sys/fs/cgroup"), "mesos"));
    assertThat(flags.daemon().folders().work()).isEqualTo(Path.of("/work"));
    assertThat(flags.daemon().folders().apart()).contains(Path.of("/run/own"));
  }

  /** What nobody has asked for is left out where it cannot be had. */
  @Test
  void aLoggerThatIsNamedIsDemanded() throws Exception {
    assertThat(flags(Map.of()).containers().logging())
        .isEqualTo(new Logging(Optional.of("rotating"), false));
    assertThat(flags(Map.of("container_logger", "rotating")).containers().logging())
        .isEqualTo(new Logging(Optional.of("rotating"), true));
    assertThat(flags(Map.of("container_logger", "sandbox")).containers().logging())
        .isEqualTo(new Logging(Optional.of("sandbox"), true));
  }

  @Test
  void readsWhatTextsMean() throws Exception {
    AgentFlags flags =
        flags(
            Map.of(
                "hooks", "a, b,",
                "executor_environment_variables", "{\"A\":\"1\"}",
                "executor_shutdown_grace_period", "7secs",
                "recovery_timeout", "3mins",
                "executor_reregistration_timeout", "4secs",
                "reconfiguration_policy", "equal",
                "attributes", "rack:r1;level:10"));
    assertThat(flags.daemon().hooks()).isEqualTo(List.of("a", "b"));
    assertThat(flags.tasks().environment()).isEqualTo(Map.of("A", "1"));
    assertThat(flags.tasks().times())
        .isEqualTo(new TaskEnvironment.Times("7secs", "3mins", "4secs"));
    assertThat(flags.recovering().reconfiguration()).isEqualTo(Reconfiguration.EQUAL);
    assertThat(flags.equipment().attributes()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "master;''",
        "work_dir;''",
        "attributes;rack",
        "reconfiguration_policy;some",
        "executor_environment_variables;[]",
        "executor_environment_variables;{\"A\":1}",
        "executor_environment_variables;{",
        "domain;{",
        "advertise_port;0",
        "advertise_ip;localhost",
        "credential;/nonexistent/credential",
        "jwt_secret_key;/nonexistent/key",
        "authenticate_http_executors;true"
      })
  void namesTheFlagThatIsMissingOrCannotBeRead(String name, String text) {
    assertThatThrownBy(() -> flags(Map.of(name, text)))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining("--" + name);
  }

  @ParameterizedTest
  @CsvSource({"crammd5,basic", "'',basic", "basic,basic", "vault,vault"})
  void mesossAuthenticateeIsTheDefaultOne(String given, String module) throws Exception {
    assertThat(flags(Map.of()).registration().authenticatee()).isEqualTo("basic");
    assertThat(flags(Map.of("authenticatee", given)).registration().authenticatee())
        .isEqualTo(module);
  }
}
