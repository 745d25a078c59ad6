package com.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;

class NiceIsolatorTest {
  private final NiceIsolator isolator = new NiceIsolator();
  private final List<Process> processes = new ArrayList<>();

  private void open(Map<String, String> parameters) {
    isolator.open(FakeDaemonContext.agent().withParameters(parameters));
    isolator.recover(List.of());
  }

  /** A shell in a session of its own, as containers are, with a child, and what it has said. */
  private Process start() throws Exception {
    Process process = new ProcessBuilder("setsid", "sh", "-c", "sleep 300 & echo $!; wait").start();
    processes.add(process);
    return process;
  }

  private static long child(Process process) throws Exception {
    BufferedReader said = process.inputReader();
    return Long.parseLong(said.readLine());
  }

  @AfterEach
  void end() throws Exception {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
  }

  private static Container.Builder container(String id, boolean revocable) throws Exception {
    Resource.Builder cpus =
        Resource.newBuilder()
            .setName("cpus")
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(1));
    if (revocable) {
      cpus.setRevocable(Resource.RevocableInfo.getDefaultInstance());
    }
    return Container.builder(id, Path.of("/sandbox"))
        .resources(Resources.of(List.of(cpus.build())), Resources.EMPTY);
  }

  private static int niceness(long pid) throws Exception {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
    return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[16]);
  }

  private Process launch(Container container) throws Exception {
    Process process = start();
    isolator.prepare(container);
    isolator.isolate(container, process.pid());
    return process;
  }

  @Test
  void givesContainersTheirNiceness() throws Exception {
    open(Map.of("nice", "3", "nice_revocable", "7"));
    Process plain = launch(container("plain", false).build());
    Process lent = launch(container("lent", true).build());
    assertThat(niceness(plain.pid())).isEqualTo(3);
    assertThat(niceness(lent.pid())).isEqualTo(7);
  }

  @Test
  void changesItForAllProcessesWhenRevocableResourcesCome() throws Exception {
    open(Map.of("nice", "3", "nice_revocable", "7"));
    Container container = container("grows", false).build();
    Process process = start();
    long child = child(process);
    isolator.prepare(container);
    isolator.isolate(container, process.pid());
    isolator.update(container("grows", true).pid(process.pid()).build());
    assertThat(niceness(process.pid())).isEqualTo(7);
    assertThat(niceness(child)).isEqualTo(7);
    Path group = Path.of("/proc/" + process.pid() + "/autogroup");
    if (Files.exists(group)) {
      assertThat(group).content().endsWith(" nice 7\n");
    }
  }

  @Test
  void whatIsNestedIsNoLessNiceThanWhatIsAround() throws Exception {
    open(Map.of());
    isolator.prepare(container("around", true).build());
    Container nested = container("nested", false).parent("around").build();
    assertThat(niceness(launch(nested).pid())).isEqualTo(19);

    NiceIsolator next = new NiceIsolator();
    next.open(FakeDaemonContext.agent());
    next.recover(
        List.of(
            RecoveredContainer.of(
                container("around", true).build(),
                RecoveredContainer.Phase.PREPARED,
                LaunchPlan.NONE.state())));
    Process process = start();
    next.prepare(nested);
    next.isolate(nested, process.pid());
    assertThat(niceness(process.pid())).isEqualTo(19);
  }

  @ParameterizedTest
  @ValueSource(strings = {"20", "-21", "", "low", "1.5", "99999999999"})
  void refusesWhatIsNoNiceness(String value) {
    for (String name : List.of("nice", "nice_revocable")) {
      assertThatThrownBy(() -> open(Map.of(name, value)))
          .hasMessageContaining("the parameter '" + name + "': '" + value + "'")
          .hasMessageContaining("from -20 to 19");
    }
  }

  @Test
  void rehearsesWithWhatItIsToSet() {
    open(Map.of("nice", "1"));
    assertThatCode(isolator::rehearse).doesNotThrowAnyException();
  }
}
