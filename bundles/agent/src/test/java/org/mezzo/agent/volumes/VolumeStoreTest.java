package org.mezzo.agent.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.mezzo.agent.Made.disk;
import static org.mezzo.agent.Made.scalar;
import static org.mezzo.agent.Made.volume;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Resource.DiskInfo.Source.Type;
import org.mezzo.resources.Resources;

class VolumeStoreTest {
  @TempDir Path folder;
  private final List<Path> discarded = new ArrayList<>();
  private Path work;
  private VolumeStore store;

  @BeforeEach
  void open() {
    work = folder.resolve("work");
    store = new VolumeStore(work, discarded::add);
  }

  private static Resources resources(Resource... messages) throws Exception {
    return Resources.of(List.of(messages));
  }

  private Path directory(Resource volume) throws Exception {
    return store.directory(resources(volume).get(0));
  }

  @Test
  void rule173SaysWhereVolumesAre() throws Exception {
    assertThat(directory(volume("v", scalar("disk", 1, "eng", "eng/web"), "data")))
        .isEqualTo(work.resolve("volumes/roles/eng web/v"));
    assertThat(directory(volume("v", disk(1, Type.PATH, "/disk", "eng"), "data")))
        .isEqualTo(Path.of("/disk/volumes/roles/eng/v"));
    assertThat(directory(volume("v", disk(1, Type.PATH, "disk", "eng"), "data")))
        .isEqualTo(work.resolve("disk/volumes/roles/eng/v"));
    assertThat(directory(volume("v", disk(1, Type.MOUNT, "/mnt/a", "eng"), "data")))
        .isEqualTo(Path.of("/mnt/a"));
    for (Type unfit : new Type[] {Type.RAW, Type.BLOCK}) {
      assertThatThrownBy(() -> directory(volume("v", disk(1, unfit, "", "eng"), "data")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("no volumes of disks of type " + unfit);
    }
  }

  @Test
  void destroyedDataIsGoneAtOnceAndComesBackWhereThatIsNotOnRecord() throws Exception {
    Resources volumes =
        resources(
            volume("v", 1, "eng", "data"),
            volume("w", disk(1, Type.PATH, folder.resolve("disk").toString(), "eng"), "data"));
    store.create(volumes).settle();
    Path own = work.resolve("volumes/roles/eng/v");
    Path other = folder.resolve("disk/volumes/roles/eng/w");
    Files.writeString(own.resolve("file"), "a");
    Files.writeString(other.resolve("file"), "b");

    VolumeStore.Change change = store.destroy(volumes, "one");
    assertThat(own).doesNotExist();
    assertThat(other).doesNotExist();
    change.undo();
    assertThat(own.resolve("file")).hasContent("a");
    assertThat(other.resolve("file")).hasContent("b");

    discarded.clear();
    store.destroy(volumes, "two").settle();
    assertThat(discarded)
        .containsExactlyInAnyOrder(
            work.resolve("volumes/destroyed/two"), folder.resolve("disk/volumes/destroyed/two"));
  }

  @Test
  void aProcessThatIsKilledLosesNothingAndLeavesNothing() throws Exception {
    Resources volumes =
        resources(
            volume("v", 1, "eng", "data"),
            volume("w", disk(1, Type.PATH, folder.resolve("disk").toString(), "eng"), "data"));
    store.create(volumes).settle();
    Path own = work.resolve("volumes/roles/eng/v");
    Files.writeString(own.resolve("file"), "a");
    // Killed here: the end of only one of them is on record.
    store.destroy(volumes, "one");
    store.recover(
        resources(
            volume("v", 1, "eng", "data"),
            disk(1, Type.PATH, folder.resolve("disk").toString(), "eng")));
    assertThat(own.resolve("file")).hasContent("a");
    assertThat(folder.resolve("disk/volumes/roles/eng/w")).doesNotExist();
    assertThat(discarded)
        .containsExactlyInAnyOrder(
            work.resolve("volumes/destroyed/one"), folder.resolve("disk/volumes/destroyed/one"));
    assertThat(folder.resolve("disk/volumes/destroyed/one/eng/w")).exists();
    assertThat(work.resolve("volumes/destroyed/one/eng/v")).doesNotExist();
  }

  @Test
  void aNewVolumeThatIsUndoneLeavesWhatWasThere() throws Exception {
    Path old = Files.createDirectories(work.resolve("volumes/roles/eng/old"));
    Files.writeString(old.resolve("file"), "a");
    VolumeStore.Change change =
        store.create(resources(volume("old", 1, "eng", "data"), volume("new", 1, "eng", "data")));
    assertThat(old.resolveSibling("new")).isDirectory();
    change.undo();
    assertThat(old.resolve("file")).hasContent("a");
    assertThat(old.resolveSibling("new")).doesNotExist();
  }

  @Test
  void saysWhatKeepsAVolumeFromBeingUsed() throws Exception {
    Resources volume = resources(volume("v", 1, "eng", "data"));
    assertThat(store.obstacle(volume.get(0)).orElseThrow())
        .contains(work.resolve("volumes/roles/eng/v").toString(), "is not there");
    store.create(volume).settle();
    assertThat(store.obstacle(volume.get(0))).isEmpty();
    Path plain = Files.createDirectory(folder.resolve("plain"));
    Resources mount = resources(volume("m", disk(1, Type.MOUNT, plain + "", "eng"), "data"));
    assertThat(store.obstacle(mount.get(0)).orElseThrow())
        .contains("Nothing is mounted at " + plain);
    assertThatThrownBy(() -> store.create(mount)).hasMessageContaining("mount it first");
    Resources mounted = resources(volume("m", disk(1, Type.MOUNT, "/proc", "eng"), "data"));
    assertThat(store.obstacle(mounted.get(0))).isEmpty();
  }

  private static boolean succeeds(String... command) throws Exception {
    return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
  }

  @Test
  void aVolumeOnAMountIsEmptiedOnceItsEndIsOnRecord() throws Exception {
    Path root = Files.createDirectory(folder.resolve("mounted here"));
    assumeTrue(
        "root".equals(System.getProperty("user.name"))
            && succeeds("mount", "-t", "tmpfs", "none", root.toString()),
        "only root can mount, and not everywhere");
    try {
      Resources volume = resources(volume("m", disk(1, Type.MOUNT, root + "", "eng"), "data"));
      store.create(volume).settle();
      Path outside = Files.writeString(folder.resolve("outside"), "stays");
      Files.writeString(Files.createDirectory(root.resolve("inner")).resolve("file"), "a");
      Files.createSymbolicLink(root.resolve("link"), outside);
      VolumeStore.Change change = store.destroy(volume, "one");
      assertThat(root.resolve("inner/file")).hasContent("a");
      change.undo();
      assertThat(root.resolve("inner/file")).hasContent("a");
      store.destroy(volume, "two").settle();
      assertThat(root).isEmptyDirectory();
      assertThat(outside).hasContent("stays");
    } finally {
      assertThat(succeeds("umount", root.toString())).isTrue();
    }
    assertThatThrownBy(
            () ->
                store.destroy(
                    resources(volume("m", disk(1, Type.MOUNT, root + "", "eng"), "data")), "three"))
        .hasMessageContaining("Nothing is mounted");
  }

  @Test
  void readsWhatIsMounted() {
    assertThat(MountTable.mountPoint("36 35 98:0 / /mnt/a\\040b\\134 rw - ext4 /dev/x rw"))
        .isEqualTo("/mnt/a b\\");
    assertThat(MountTable.mountPoint("36 35")).isEmpty();
  }
}
