package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.TextFormat;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.protocol.v1.ContainerInfo;

class SandboxVolumeTest {
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
            SandboxVolume.of(
                info(volume("PARENT", "a/./b//", "x/y") + volume("SELF", "own", "./z")), true))
        .containsExactly(
            new SandboxVolume(true, Path.of("a/b"), Path.of("x/y")),
            new SandboxVolume(false, Path.of("own"), Path.of("z")));
    assertThat(SandboxVolume.of(ContainerInfo.getDefaultInstance(), false)).isEmpty();
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
    assertThatThrownBy(() -> SandboxVolume.of(info, true))
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
      assertThatThrownBy(() -> SandboxVolume.of(info, true))
          .isInstanceOf(LaunchException.class)
          .hasMessageStartingWith("The volume at 'x");
    }
    ContainerInfo parents = info(volume("PARENT", "a", "x"));
    assertThatThrownBy(() -> SandboxVolume.of(parents, false))
        .hasMessageContaining("launch it in a group");
  }
}
