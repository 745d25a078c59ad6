package org.mezzo.agent.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mezzo.agent.Made.volume;

import com.google.protobuf.TextFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.containerizer.BindMount;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources;

class TaskVolumesTest {
  @TempDir Path folder;
  private VolumeStore store;

  @BeforeEach
  void open() {
    store = new VolumeStore(folder.resolve("work"), path -> {});
  }

  private TaskVolumes of(Resource... resources) throws Exception {
    return TaskVolumes.of(Resources.of(List.of(resources)), store, Optional.of("nobody mounts"));
  }

  @ParameterizedTest
  @CsvSource({
    "/, is the root of everything",
    "/data/../etc, contains '..'",
    "../data, contains '..'",
    "a/../../b, contains '..'",
    "'', is the sandbox itself",
    "./., is the sandbox itself",
    "stdout, is what the agent itself writes",
    "./stderr/x, is what the agent itself writes",
  })
  void refusesPathsByName(String path, String why) {
    assertThatThrownBy(() -> of(volume("v", 1, "eng", path)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The container path '" + path + "'")
        .hasMessageContaining(why);
  }

  @ParameterizedTest
  @CsvSource({"data, data", "data, data/inner", "a/b/c, a/b", "./data, data"})
  void refusesVolumesInsideEachOther(String one, String other) {
    assertThatThrownBy(() -> of(volume("v", 1, "eng", one), volume("w", 1, "eng", other)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("would appear inside each other");
  }

  @Test
  void refusesWhatALinkCannotDo() {
    for (Volume unfit :
        List.of(
            Volume.newBuilder().setContainerPath("data").setMode(Volume.Mode.RO).build(),
            Volume.newBuilder()
                .setContainerPath("data")
                .setMode(Volume.Mode.RW)
                .setSource(Volume.Source.getDefaultInstance())
                .build())) {
      Resource.Builder resource = volume("v", 1, "eng", "data").toBuilder();
      resource.getDiskBuilder().setVolume(unfit);
      assertThatThrownBy(() -> of(resource.build())).isInstanceOf(IOException.class);
    }
    assertThatThrownBy(() -> of(volume("v", 1, "eng", "/data")))
        .hasMessageContaining("container path '/data'")
        .hasMessageContaining("would have to be mounted, and nobody mounts");
    assertThatThrownBy(() -> of(readOnly("data")))
        .hasMessageContaining("whose mode is RO, would have to be mounted, and nobody mounts");
  }

  private static Resource readOnly(String at) {
    Resource.Builder resource = volume("v", 1, "eng", at).toBuilder();
    resource.getDiskBuilder().getVolumeBuilder().setMode(Volume.Mode.RO);
    return resource.build();
  }

  @Test
  void thoseThatAreMountedHaveAPlaceForThat() throws Exception {
    Path there = Files.createDirectory(folder.resolve("there"));
    TaskVolumes volumes =
        TaskVolumes.of(
            Resources.of(List.of(readOnly("a/v"), volume("w", 1, "eng", there.toString()))),
            store,
            Optional.empty());
    Path sandbox = Files.createDirectory(folder.resolve("sandbox"));
    store.create(volumes.resources()).settle();
    assertThatThrownBy(() -> volumes.place(sandbox, store, false))
        .hasMessageContaining("the container has no mounts");
    volumes.place(sandbox, store, true);
    assertThat(sandbox.resolve("a/v")).isEmptyDirectory();
    Path data = folder.resolve("work/volumes/roles/eng");
    assertThat(volumes.mounts())
        .containsExactlyInAnyOrder(
            new BindMount(data.resolve("v"), Path.of("a/v"), true),
            new BindMount(data.resolve("w"), there, false));
    // What it may only read stays whose it is.
    assertThat(volumes.owned(sandbox, Resources.EMPTY))
        .containsExactlyInAnyOrder(sandbox.resolve("a"), data.resolve("w"));
    Files.delete(there);
    assertThatThrownBy(() -> volumes.place(sandbox, store, true))
        .hasMessageContaining("There is no directory '" + there + "'");
  }

  @Test
  void linksAppearInTheSandbox() throws Exception {
    TaskVolumes volumes = of(volume("v", 1, "eng", "a/b/v"), volume("w", 1, "eng", "a/w"));
    Path sandbox = Files.createDirectory(folder.resolve("sandbox"));
    assertThatThrownBy(() -> volumes.place(sandbox, store, false))
        .hasMessageContaining("is not there");
    assertThat(sandbox).isEmptyDirectory();
    store.create(volumes.resources()).settle();
    volumes.place(sandbox, store, false);
    Path data = folder.resolve("work/volumes/roles/eng");
    assertThat(Files.readSymbolicLink(sandbox.resolve("a/b/v"))).isEqualTo(data.resolve("v"));
    assertThat(Files.readSymbolicLink(sandbox.resolve("a/w"))).isEqualTo(data.resolve("w"));
    assertThat(volumes.owned(sandbox, Resources.EMPTY))
        .containsExactlyInAnyOrder(
            sandbox.resolve("a"), sandbox.resolve("a/b"), data.resolve("v"), data.resolve("w"));
    Resources used = Resources.of(List.of(volume("w", 1, "eng", "elsewhere")));
    assertThat(volumes.owned(sandbox, used)).doesNotContain(data.resolve("w"));
  }

  private static ContainerInfo shared(String path, String at) throws Exception {
    return TextFormat.parse(
        "type: MESOS volumes { mode: RW container_path: '"
            + at
            + "' source { type: SANDBOX_PATH sandbox_path { type: PARENT path: '"
            + path
            + "' } } }",
        ContainerInfo.class);
  }

  @Test
  void appearApartFromFoldersOfSandboxes() throws Exception {
    TaskVolumes volumes = of(volume("v", 1, "eng", "a/v"));
    volumes.checkBeside(shared("a/v", "a/w"));
    for (String at : List.of("a", "a/v", "./a/v/x")) {
      assertThatThrownBy(() -> volumes.checkBeside(shared("x", at)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("at '" + at + "' would appear inside each other");
    }
  }

  @Test
  void foldersOfThemAreSharedWithContainersInTheirs() throws Exception {
    TaskVolumes volumes = of(volume("v", 1, "eng", "a/v"), volume("w", 1, "eng", "w"));
    Path data = folder.resolve("work/volumes/roles/eng/v");
    assertThat(volumes.sharedBy(shared("./a/v/deep", "at")))
        .isEqualTo(of(volume("v", 1, "eng", "a/v")));
    assertThat(volumes.shownTo(shared("./a/v/deep", "at")))
        .containsExactly(Map.entry(Path.of("at"), data.resolve("deep")));
    assertThat(volumes.shownTo(shared("a/v", "./at"))).containsValue(data);
    assertThat(volumes.sharedBy(shared("a", "at"))).isEqualTo(TaskVolumes.NONE);
  }
}
