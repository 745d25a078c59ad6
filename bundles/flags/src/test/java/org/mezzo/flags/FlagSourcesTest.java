package org.mezzo.flags;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlagSourcesTest {
  @TempDir Path directory;

  private static FlagSources sources() {
    return new FlagSources(FlagDefinitionsTest.DEFINITIONS);
  }

  @Test
  void commandLineHasThreeForms() throws Exception {
    assertThat(
            sources()
                .commandLine(
                    List.of("--zk=zk://a=b/c", "--no-strict", "--slave_ping_timeout=1secs"))
                .given())
        .isEqualTo(Map.of("zk", "zk://a=b/c", "strict", "false", "agent_ping_timeout", "1secs"));
    assertThat(sources().commandLine(List.of("--strict")).given())
        .isEqualTo(Map.of("strict", "true"));
  }

  @Test
  void mistakesOnTheCommandLineAreFatal() {
    Map<String, String> mistakes =
        Map.of(
            "--prot=1", "unknown flag --prot: did you mean --port? (given on the command line)",
            "--no-strct", "unknown flag --strct: did you mean --strict?",
            "--port", "flag --port needs a value: write --port=VALUE",
            "--no-port", "flag --port is not a switch: --no-port has no meaning",
            "port=1", "unexpected argument 'port=1': flags are written --name=value",
            "--port=x", "flag --port: 'x' is no whole number (given on the command line)");
    mistakes.forEach(
        (argument, message) ->
            assertThatExceptionOfType(FlagException.class)
                .isThrownBy(() -> sources().commandLine(List.of(argument)))
                .withMessageStartingWith(message));
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> sources().commandLine(List.of("--port=1", "--port=2")))
        .withMessageContaining("given twice");
  }

  @Test
  void whatIsAddedFirstWins() throws Exception {
    Path file = Files.writeString(directory.resolve("master.properties"), "port=3\nshare=0.3\n");

    assertThat(
            sources()
                .commandLine(List.of("--port=1"))
                .environment(
                    Map.of(
                        "MEZZO_PORT", "2",
                        "MESOS_ZK", "zk://mesos",
                        "MEZZO_ZK", "zk://mezzo",
                        "MESOS_SLAVE_PING_TIMEOUT", "2secs",
                        "MESOS_UNHEARD_OF", "1"))
                .properties(file)
                .properties(directory.resolve("absent"))
                .given())
        .isEqualTo(
            Map.of("port", "1", "zk", "zk://mezzo", "agent_ping_timeout", "2secs", "share", "0.3"));
  }

  @Test
  void badValuesNameTheirPlace() {
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> sources().environment(Map.of("MESOS_PORT", "tcp://10.0.0.1:80")))
        .withMessageContaining("flag --port")
        .withMessageContaining("MESOS_PORT");
  }

  @Test
  void packagesKeepAFilePerFlag() throws Exception {
    Path etc = Files.createDirectories(directory.resolve("mesos-agent"));
    Files.writeString(etc.resolve("port"), "5051\n");
    Files.writeString(etc.resolve("?no-strict"), "");
    Files.writeString(etc.resolve(".port.swp"), "editor");
    Path attributes = Files.createDirectories(etc.resolve("attributes"));
    Files.writeString(attributes.resolve("rack"), "r1\n");
    Files.writeString(attributes.resolve("disk"), "ssd\n");
    Path zk = Files.writeString(directory.resolve("zk"), "zk://z:2181/mesos\n");

    assertThat(sources().directory(etc).file("zk", zk).file("zk", etc.resolve("x")).given())
        .isEqualTo(
            Map.of(
                "port", "5051",
                "strict", "false",
                "attributes", "disk:ssd;rack:r1",
                "zk", "zk://z:2181/mesos"));

    Files.writeString(etc.resolve("prot"), "5051\n");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> sources().directory(etc))
        .withMessageContaining("did you mean --port?")
        .withMessageContaining(etc.resolve("prot").toString());
  }

  @Test
  void packagesKeepShellAssignments() throws Exception {
    Path zk = Files.writeString(directory.resolve("zk"), "zk://z:2181/mesos\n");
    Path file =
        Files.writeString(
            directory.resolve("mesos-master"),
            "# comment\nPORT=5055 # odd\nexport LOGS=\"/var/log/mesos\"\nZK=`cat "
                + zk
                + "`\nULIMIT='-n 8192'\nMESOS_SHARE=0.75\n");

    assertThat(
            sources()
                .assignments(file, Map.of("PORT", "port", "LOGS", "log_dir", "ZK", "zk"))
                .given())
        .isEqualTo(
            Map.of(
                "port", "5055",
                "log_dir", "/var/log/mesos",
                "zk", "zk://z:2181/mesos",
                "share", "0.75"));
  }
}
