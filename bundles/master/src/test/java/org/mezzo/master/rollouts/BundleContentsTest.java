package org.mezzo.master.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;

/** Jars in parts, of which some may be missing when a master ends in the middle. */
class BundleContentsTest {
  private final Map<String, byte[]> registry = new HashMap<>();

  private static byte[] jar(int size) {
    byte[] jar = new byte[size];
    new Random(size).nextBytes(jar);
    return jar;
  }

  private void store(List<Registry.Change> changes) {
    for (Registry.Change change : changes) {
      if (change.value() == null) {
        assertThat(registry.remove(change.key())).isNotNull();
      } else {
        assertThat(change.value().length).isLessThan(Registry.MAX_VALUE_BYTES);
        registry.put(change.key(), change.value());
      }
    }
  }

  @Test
  void anotherMasterHasTheWholeJar() throws Exception {
    byte[] jar = jar(2 * BundleContents.PART_BYTES + 1);
    store(new BundleContents().writes("d1", jar));
    assertThat(registry).hasSize(4);

    BundleContents read = BundleContents.read(registry);

    assertThat(read.jar("d1").orElseThrow().toByteArray()).isEqualTo(jar);
    assertThat(read.size()).isEqualTo(jar.length);
    assertThat(read.part("d1", 2L * BundleContents.PART_BYTES).orElseThrow().size()).isOne();
    assertThat(read.part("d1", jar.length)).isEmpty();
    assertThat(read.part("d2", 0)).isEmpty();
  }

  @Test
  void jarThatWasCutOffIsNotThereAndGoes() throws Exception {
    List<Registry.Change> writes = new BundleContents().writes("d1", jar(1_200_000));
    for (int done = 1; done < writes.size(); done++) {
      registry.clear();
      store(writes.subList(0, done));
      BundleContents read = BundleContents.read(registry);

      assertThat(read.has("d1")).isFalse();
      store(read.retain(Set.of()));
      assertThat(registry).isEmpty();
    }
  }

  @Test
  void removalThatWasCutOffLeavesNoWholeJar() throws Exception {
    store(new BundleContents().writes("d1", jar(1_200_000)));
    List<Registry.Change> removal = BundleContents.read(registry).retain(Set.of());
    store(removal.subList(0, 1));

    assertThat(BundleContents.read(registry).has("d1")).isFalse();
  }

  @Test
  void whatIsWantedStays() throws Exception {
    store(new BundleContents().writes("d1", jar(10)));
    store(new BundleContents().writes("d2", jar(20)));
    BundleContents read = BundleContents.read(registry);
    store(read.retain(Set.of("d2")));

    assertThat(read.has("d1")).isFalse();
    assertThat(BundleContents.read(registry).has("d2")).isTrue();
    assertThat(registry).hasSize(2);
  }
}
