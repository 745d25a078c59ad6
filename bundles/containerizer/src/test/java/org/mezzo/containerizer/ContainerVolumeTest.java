package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.TextFormat;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.containerizer.ContainerVolume.From;
import org.mezzo.protocol.v1.ContainerInfo;

class ContainerVolumeTest {
  /** A volume of that type, of a folder, at some place. */
  static String volume(String type, String folder, String at) {
    return "volumes { mode: RW container_path: '%s' source { type: SANDBOX_PATH sandbox_path { type: %s path: '%s' } } } "
        .formatted(at, type, folder);
  }

  static ContainerInfo info(String volumes) throws Exception {
    return TextFormat.parse("type: MESOS " + volumes, ContainerInfo.class);
  }

  @Test
  void areRelativeToSandboxes() throws Exception {
    assertThat(
            ContainerVolume.of(
                info(volume("PARENT", "a/./b//", "x/y") + volume("SELF", "own", "./z")),
                true,
                false))
        .containsExactly(
            new ContainerVolume(From.PARENT, Path.of("a/b"), Path.of("x/y"), false),
            new ContainerVolume(From.SELF, Path.of("own"), Path.of("z"), false));
    assertThat(ContainerVolume.of(ContainerInfo.getDefaultInstance(), false, false)).isEmpty();
  }

  /** A volume of the host's in both of the ways in which it can be asked for. */
  private static String host(String folder, String at, boolean old) {
    String source =
        old
            ? "host_path: '" + folder + "'"
            : "source { type: HOST_PATH host_path { path: '" + folder + "' } }";
    return "volumes { mode: RO container_path: '" + at + "' " + source + " } ";
  }

  @Test
  void areAnywhereAndForReadingOnlyWithMounts() throws Exception {
    assertThat(
            ContainerVolume.of(
                info(
                    volume("PARENT", "a", "/mnt/./x").replace("RW", "RO")
                        + host("/etc//ssl", "y", true)
                        + host("/opt/..", "/srv", false)),
                true,
                true))
        .containsExactly(
            new ContainerVolume(From.PARENT, Path.of("a"), Path.of("/mnt/x"), true),
            new ContainerVolume(From.HOST, Path.of("/etc/ssl"), Path.of("y"), true),
            new ContainerVolume(From.HOST, Path.of("/"), Path.of("/srv"), true));
  }

  @Test
  void whatNeedsMountsIsRefusedWithTheRemedy() throws Exception {
    for (String volumes :
        new String[] {
          volume("PARENT", "a", "x").replace("RW", "RO"),
          volume("SELF", "a", "/mnt"),
          host("/etc", "x", true).replace("RO", "RW"),
          host("/etc", "x", false).replace("RO", "RW"),
        }) {
      ContainerInfo info = info(volumes);
      assertThatThrownBy(() -> ContainerVolume.of(info, true, false))
          .hasMessageContaining("an agent with --isolation=filesystem/linux provides that");
      assertThat(ContainerVolume.of(info, true, true)).hasSize(1);
    }
  }

  @Test
  void refusesWhatNoMountCanBeEither() throws Exception {
    for (String[] each :
        new String[][] {
          {volume("SELF", "a", "/"), "the root of everything"},
          {volume("SELF", "a", "/mnt/../etc"), "contains '..'"},
          {volume("SELF", "/a", "x"), "has to be relative to a sandbox"},
          {host("a", "x", true), "is not absolute"},
          {host("a", "x", false), "is not absolute"},
          {host("/a", "../x", false), "contains '..'"},
          {volume("SELF", "a", "/mnt") + host("/etc", "/mnt/ssl", true), "appear inside the one"},
          {"volumes { mode: RW container_path: 'x' source { type: HOST_PATH } }", "not one that"},
        }) {
      ContainerInfo info = info(each[0]);
      assertThatThrownBy(() -> ContainerVolume.of(info, true, true))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining(each[1]);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PARENT, /abs, x, absolute",
    "SELF, a, /abs, absolute",
    "PARENT, a/../b, x, '..'",
    "PARENT, .., x, '..'",
    "SELF, a, ../x, '..'",
    "PARENT, ., x, the sandbox itself",
    "PARENT, '', x, the sandbox itself",
    "SELF, a, .//., the sandbox itself",
    "PARENT, containers/other, x, the agent itself uses",
    "PARENT, tasks/other, x, the agent itself uses",
    "PARENT, stdout, x, the agent itself uses",
    "SELF, a, ./stderr, the agent itself uses",
    "SELF, a, containers, the agent itself uses",
    "SELF, a, a/b, inside each other",
    "SELF, a/b, a, inside each other",
    "UNKNOWN, a, x, SELF or PARENT",
    "PARENT, a\\000b, x, no path",
  })
  void refusesWhatCouldLeadElsewhere(String type, String folder, String at, String words)
      throws Exception {
    ContainerInfo info = info(volume(type, folder, at));
    assertThatThrownBy(() -> ContainerVolume.of(info, true, false))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("`container.volumes`")
        .hasMessageContaining(words);
  }

  @Test
  void refusesWhatNobodyProvides() throws Exception {
    for (String volumes :
        new String[] {
          "volumes { mode: RW container_path: 'x' }",
          "volumes { mode: RW container_path: 'x' host_path: 'a' }",
          "volumes { mode: RW container_path: 'x' source { type: SANDBOX_PATH } }",
          "volumes { mode: RW container_path: 'x' source { sandbox_path { path: 'a' } } }",
          volume("PARENT", "a", "x").replace("RW", "RO"),
          volume("PARENT", "a", "x") + volume("PARENT", "b", "x/y"),
        }) {
      ContainerInfo info = info(volumes);
      assertThatThrownBy(() -> ContainerVolume.of(info, true, false))
          .isInstanceOf(LaunchException.class)
          .hasMessageStartingWith("The volume at 'x");
    }
    ContainerInfo parents = info(volume("PARENT", "a", "x"));
    assertThatThrownBy(() -> ContainerVolume.of(parents, false, false))
        .hasMessageContaining("launch it in a group");
  }
}
