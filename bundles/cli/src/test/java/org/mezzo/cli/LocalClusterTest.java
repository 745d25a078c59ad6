package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.core.JsonFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;

class LocalClusterTest {
  @TempDir Path directory;
  private Home home;

  @BeforeEach
  void distribution() throws Exception {
    home = new Home(directory.resolve("home"));
    table("master", "zk\t\tstring?\t\tyes\tensemble", "quorum\t\tint?\t\tno\tquorum");
    table("agent", "master\t\tstring?\t\tyes\tleader", "resources\t\tstring?\t\tyes\tresources");
  }

  private void table(String daemon, String... rows) throws Exception {
    Path level = Files.createDirectories(home.system().resolve("20"));
    String text =
        String.join(
            "\n",
            "name\tdeprecated_name\ttype\tdefault\teffect\tpurpose",
            "ip\t\tstring\t127.0.0.1\tyes\taddress",
            "port\t\tuint16\t5050\tyes\tport",
            "work_dir\t\tstring?\t\tyes\tfiles",
            "runtime_dir\t\tstring?\t\tyes\tmore files",
            String.join("\n", rows));
    try (ZipOutputStream jar =
        new ZipOutputStream(Files.newOutputStream(level.resolve("mezzo-" + daemon + "-1.jar")))) {
      jar.putNextEntry(new ZipEntry(FlagDefinitions.RESOURCE));
      jar.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private LocalCluster plan(int port, int agents, String... arguments) throws Exception {
    Path work = directory.resolve("work");
    return LocalCluster.plan(
        home, work, new Places(work, directory.resolve("run")), port, agents, List.of(arguments));
  }

  @Test
  void everyDaemonHasItsOwnPort() throws Exception {
    LocalCluster cluster = plan(0, 3);
    assertThat(cluster.agentUrls()).hasSize(3).doesNotHaveDuplicates();
    assertThat(cluster.agentUrls()).doesNotContain(cluster.masterUrl());
    assertThat(cluster.zooKeeperUrl()).matches("zk://127\\.0\\.0\\.1:[0-9]+/mezzo");
  }

  @Test
  void flagsGoToThoseThatKnowThem() throws Exception {
    plan(0, 1, "--quorum=2", "--resources=cpus:1");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> plan(0, 1, "--resourcs=cpus:1"))
        .withMessageContaining("unknown flag --resourcs");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> plan(0, 1, "--zk=zk://else/where"))
        .withMessageContaining("every daemon has its own");
  }

  @Test
  void sharesDoNotOverlap() throws Exception {
    assertThat(LocalCluster.share(1, 4, directory)).endsWith(";ports:[31000-31249]");
    assertThat(LocalCluster.share(4, 4, directory)).endsWith(";ports:[31750-31999]");
    assertThat(LocalCluster.share(1, 4, directory)).matches("cpus:[0-9.]+;mem:\\d+;disk:\\d+;.*");
  }

  @Test
  void activeAgentsAreCounted() throws Exception {
    String json =
        "{\"slaves\":[{\"id\":\"a\",\"active\":true,\"x\":{\"active\":true}},"
            + "{\"id\":\"b\",\"active\":false}],\"recovered_slaves\":[]}";
    assertThat(LocalCluster.activeAgents(new JsonFactory().createParser(json))).isEqualTo(1);
  }
}
