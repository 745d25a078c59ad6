package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Mount;

/** The same with the native launcher. */
class NativeLaunchPlanTest extends LaunchPlanTest {
  private static final boolean ROOT = "root".equals(System.getProperty("user.name"));

  @Override
  FakeAgent agent(LaunchPlan a, LaunchPlan b) {
    return super.agent(a, b).launching(NativeLaunchers.built());
  }

  @Override
  String refusal() {
    return ROOT ? "Isolator 'b' asks for a namespace PID of the container's own" : super.refusal();
  }

  private static LaunchPlan mounting(Path source, Path target, Optional<String> type) {
    return LaunchPlan.builder()
        .mount(new Mount(source.toString(), target, type, Set.of("ro")))
        .build();
  }

  @Test
  void mountsAreCarriedOutInTheContainersOwnNamespace() throws Exception {
    assumeTrue(ROOT, "mounts need root");
    Path source = Files.createDirectory(folder.resolve("source"));
    Path target = Files.createDirectory(folder.resolve("target"));
    Files.writeString(source.resolve("file"), "word\n");
    Containerizer containers =
        open(agent(mounting(source, target, Optional.empty()), LaunchPlan.NONE));
    LaunchRequest request = request("cat '" + target + "/file'; touch '" + target + "/x' 2>&1");
    assertThat(get(get(containers.launch(request)).termination()).succeeded()).isFalse();
    assertThat(Files.readString(request.sandbox().resolve("stdout")))
        .startsWith("word\n")
        .contains("Read-only file system");
    assertThat(target).isEmptyDirectory();
  }

  @Test
  void mountsOfOtherKindsAreRefusedByName() throws Exception {
    assumeTrue(ROOT, "mounts need root");
    Containerizer containers =
        open(agent(LaunchPlan.NONE, mounting(folder, folder, Optional.of("tmpfs"))));
    assertThatThrownBy(() -> get(containers.launch(request("true"))))
        .hasMessageContaining("Isolator 'b' asks for a mount at '" + folder + "' with type tmpfs");
  }
}
