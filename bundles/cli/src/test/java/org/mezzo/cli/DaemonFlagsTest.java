package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;

class DaemonFlagsTest {
  private static final FlagDefinitions AGENT =
      FlagDefinitions.read(
          new ByteArrayInputStream(
              String.join(
                      "\n",
                      "name\tdeprecated_name\ttype\tdefault\teffect\tpurpose",
                      "attributes\t\tstring?\t\tyes\tfacts",
                      "isolation\t\tstring\tposix/cpu\tyes\tisolators",
                      "log_dir\t\tstring?\t\tyes\tlogs",
                      "master\t\tstring?\t\tyes\tleader",
                      "port\t\tuint16\t5051\tyes\tlistens here",
                      "strict\tsevere\tbool\ttrue\tno\tstrictness")
                  .getBytes(StandardCharsets.UTF_8)));

  @TempDir Path directory;

  private void write(String path, String text) throws Exception {
    Path file = directory.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Map<String, String> collect(Map<String, String> environment, String... arguments)
      throws FlagException {
    return DaemonFlags.collect(
        Role.AGENT,
        AGENT,
        List.of(arguments),
        environment,
        directory.resolve("home/etc"),
        directory.resolve("root"));
  }

  @Test
  void everyPlaceHasItsRank() throws Exception {
    write("root/etc/mesos/zk", "zk://packages:2181/mesos\n");
    write("root/etc/default/mesos", "LOGS=/var/log/everybody\n");
    write("root/etc/default/mesos-slave", "LOGS=/var/log/agent\nISOLATION=posix/mem\n");
    write("root/etc/mesos-slave/isolation", "cgroups/cpu\n");
    write("root/etc/mesos-agent/?no-strict", "");
    write("root/etc/mesos-agent/port", "1\n");
    assertThat(collect(Map.of()))
        .isEqualTo(
            Map.of(
                "master", "zk://packages:2181/mesos",
                "log_dir", "/var/log/agent",
                "isolation", "cgroups/cpu",
                "strict", "false",
                "port", "1"));

    write("home/etc/mezzo-agent/port", "2\n");
    assertThat(collect(Map.of())).containsEntry("port", "2");
    write("home/etc/agent.properties", "port=3\n");
    assertThat(collect(Map.of())).containsEntry("port", "3");
    assertThat(collect(Map.of("MESOS_PORT", "4"))).containsEntry("port", "4");
    assertThat(collect(Map.of("MESOS_PORT", "4", "MEZZO_PORT", "5"))).containsEntry("port", "5");
    assertThat(collect(Map.of("MESOS_PORT", "4"), "--port=6")).containsEntry("port", "6");
  }

  @Test
  void mistakesInFilesNameTheFile() throws Exception {
    write("home/etc/agent.properties", "prot=3\n");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> collect(Map.of()))
        .withMessageContaining("did you mean --port?")
        .withMessageContaining("agent.properties");
  }

  @Test
  void helpListsEveryFlagAndWhatHasNoEffect() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    FlagHelp.print(Role.AGENT, AGENT, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    String help = bytes.toString(StandardCharsets.UTF_8);

    AGENT.all().forEach(flag -> assertThat(help).contains(flag.name()).contains(flag.purpose()));
    assertThat(help).contains("--port=NUMBER  (default: 5051)");
    assertThat(help.indexOf("--[no-]strict")).isGreaterThan(help.indexOf("no effect in Mezzo yet"));
    assertThat(help).contains("once --severe");
  }

  @Test
  void shellOptionsAreTakenOutOfTheFlags() throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of("--port=1", "--shell_ssh_port=22", "--shell_authorized_keys=keys", "--shell"));
    ShellOptions.takeFrom(arguments);
    assertThat(arguments).containsExactly("--port=1");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> ShellOptions.takeFrom(new ArrayList<>(List.of("--shell_ssh_port=22"))))
        .withMessageContaining("belong together");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(
            () ->
                ShellOptions.takeFrom(
                    new ArrayList<>(
                        List.of(
                            "--shell_ssh_port=22",
                            "--shell_authorized_keys=keys",
                            "--shell_default_role=root"))))
        .withMessageContaining("'root' is not one of view, operate, administer");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(
            () ->
                ShellOptions.takeFrom(
                    new ArrayList<>(List.of("--shell", "--shell_default_role=view"))))
        .withMessageContaining("roles are of keys");
  }

  @Test
  void placesDependOnTheUser() {
    Path home = directory.resolve("me");
    assertThat(Places.of(true, home, directory, "root", Map.of()))
        .isEqualTo(new Places(Path.of("/var/lib/mezzo"), Path.of("/var/run/mezzo")));
    assertThat(Places.of(false, home, directory, "me", Map.of()))
        .isEqualTo(new Places(home.resolve(".mezzo"), directory.resolve("mezzo-me")));
    assertThat(
            Places.of(
                false, home, directory, "me", Map.of("XDG_RUNTIME_DIR", directory.toString())))
        .isEqualTo(new Places(home.resolve(".mezzo"), directory.resolve("mezzo")));
  }
}
