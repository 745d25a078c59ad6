package org.mezzo.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.coordination.Coordinations;

class LeaderDetectionTest {
  @TempDir Path folder;

  @Test
  void aFixedMasterIsToldAtOnce() throws Exception {
    Path file = Files.writeString(folder.resolve("master"), " 127.0.0.1:6000\n");
    for (String master : List.of("127.0.0.1:6000", "file://" + file, "master@127.0.0.1:6000")) {
      List<Optional<InetSocketAddress>> told = new ArrayList<>();
      try (LeaderDetection detection =
          new LeaderDetection(
              master, Coordinations.create(), Duration.ofSeconds(10), Runnable::run, told::add)) {
        assertThat(detection).isNotNull();
        assertThat(told).containsExactly(Optional.of(new InetSocketAddress("127.0.0.1", 6000)));
      }
    }
    assertThat(LeaderDetection.address("127.0.0.1").getPort()).isEqualTo(5050);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":5050",
        "host:x",
        "host:70000",
        "zoo://a/b",
        "file:///no/such",
        "zk://h:2181//x"
      })
  void otherTextsAreRefused(String master) {
    assertThatThrownBy(
            () ->
                new LeaderDetection(
                    master,
                    Coordinations.create(),
                    Duration.ofSeconds(10),
                    Runnable::run,
                    leader -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("--master: ");
  }
}
