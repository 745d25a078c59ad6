package org.mezzo.allocator.drf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mezzo.allocator.drf.Driver.resources;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrfSorterTest {
  private final Scalars cluster = new Scalars(Set.of());

  private static List<String> order(Sorter<String> sorter) {
    List<String> order = new ArrayList<>();
    sorter.walk(order::add);
    return order;
  }

  private Scalars.Delta cpus(int amount) {
    return cluster.delta("S1", resources("cpus:" + amount));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void movingOneByOneIsAsGoodAsSorting(long seed) {
    cluster.change(resources("cpus:1000"), 1);
    Random random = new Random(seed);
    DrfSorter<String> sorter = new DrfSorter<>(cluster, false);
    List<String> paths = List.of("a", "a/b", "a/b/c", "a/d", "b", "b/x", "c", "c/y/z", "d");
    Map<String, Sorter.Client> clients = new TreeMap<>();
    Map<String, Integer> held = new TreeMap<>();
    Map<String, Double> weights = Map.of("a", 2.0, "b/x", 3.0);
    sorter.setWeights(weights);
    for (int step = 0; step < 2000; step++) {
      String path = paths.get(random.nextInt(paths.size()));
      Sorter.Client client = clients.get(path);
      if (client == null) {
        client = sorter.add(path, path);
        sorter.setActive(client, true);
        clients.put(path, client);
      } else if (random.nextInt(8) == 0) {
        sorter.released(client, cpus(held.getOrDefault(path, 0)));
        held.remove(path);
        sorter.remove(client);
        clients.remove(path);
      } else {
        Sorter.Client served = client;
        int amount = random.nextInt(4);
        held.merge(path, amount, Integer::sum);
        if (random.nextBoolean()) {
          sorter.allocated(served, cpus(amount), true);
        } else {
          boolean[] done = {false};
          sorter.walk(
              other -> {
                if (!done[0]) {
                  sorter.allocated(served, cpus(amount), true);
                  done[0] = true;
                }
                return true;
              });
        }
      }
      List<String> moved = order(sorter);
      sorter.setWeights(weights);
      assertThat(moved).isEqualTo(order(sorter)).hasSameElementsAs(clients.keySet());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void namesAreOrderedByShareThenServicesThenName(long seed) {
    cluster.change(resources("cpus:1000"), 1);
    Random random = new Random(seed);
    DrfSorter<String> sorter = new DrfSorter<>(cluster, true);
    Map<String, Sorter.Client> clients = new TreeMap<>();
    Map<String, int[]> known = new TreeMap<>();
    for (int i = 0; i < 30; i++) {
      String name = "f" + i;
      clients.put(name, sorter.add(name, name));
      sorter.setActive(clients.get(name), true);
      known.put(name, new int[2]);
    }
    for (int step = 0; step < 1000; step++) {
      String name = "f" + random.nextInt(30);
      int[] has = known.get(name);
      if (random.nextInt(4) == 0 && has[0] > 0) {
        has[0]--;
        sorter.released(clients.get(name), cpus(1));
      } else {
        int amount = random.nextInt(2);
        has[0] += amount;
        has[1]++;
        sorter.allocated(clients.get(name), cpus(amount), true);
      }
      List<String> expected = new ArrayList<>(known.keySet());
      expected.sort(
          Comparator.<String>comparingInt(n -> known.get(n)[0])
              .thenComparingInt(n -> known.get(n)[1])
              .thenComparing(Comparator.naturalOrder()));
      assertThat(order(sorter)).isEqualTo(expected);
    }
  }

  @Test
  void aClientWithOthersBelowItIsOneOfThem() {
    cluster.change(resources("cpus:100"), 1);
    DrfSorter<String> sorter = new DrfSorter<>(cluster, false);
    Sorter.Client a = sorter.add("a", "a");
    Sorter.Client b = sorter.add("b", "b");
    sorter.setActive(a, true);
    sorter.setActive(b, true);
    sorter.allocated(b, cpus(10), true);
    Sorter.Client child = sorter.add("a/x", "a/x");
    sorter.setActive(child, true);
    sorter.allocated(child, cpus(20), true);
    assertThat(order(sorter)).containsExactly("b", "a", "a/x");
    sorter.released(child, cpus(20));
    assertThat(order(sorter)).containsExactly("a", "a/x", "b");
    sorter.remove(child);
    sorter.released(b, cpus(10));
    assertThat(order(sorter)).as("both were served once").containsExactly("a", "b");
    sorter.allocated(b, cpus(0), true);
    sorter.allocated(a, cpus(0), true);
    sorter.allocated(a, cpus(0), true);
    assertThat(order(sorter)).as("services below it count").containsExactly("b", "a");
  }

  @Test
  void sharedResourcesCountOncePerAgent() throws Exception {
    var shared =
        org.mezzo.protocol.v1.Resource.newBuilder()
            .setName("disk")
            .setType(org.mezzo.protocol.v1.Value.Type.SCALAR)
            .setScalar(org.mezzo.protocol.v1.Value.Scalar.newBuilder().setValue(10))
            .setShared(org.mezzo.protocol.v1.Resource.SharedInfo.getDefaultInstance())
            .addReservations(
                org.mezzo.protocol.v1.Resource.ReservationInfo.newBuilder()
                    .setRole("a")
                    .setType(org.mezzo.protocol.v1.Resource.ReservationInfo.Type.STATIC))
            .setDisk(
                org.mezzo.protocol.v1.Resource.DiskInfo.newBuilder()
                    .setPersistence(
                        org.mezzo.protocol.v1.Resource.DiskInfo.Persistence.newBuilder()
                            .setId("v")))
            .build();
    var volume = org.mezzo.resources.Resources.of(List.of(shared));
    DrfSorter<String> sorter = new DrfSorter<>(cluster, true);
    Sorter.Client a = sorter.add("a", "a");
    sorter.allocated(a, cluster.delta("S1", volume), true);
    sorter.allocated(a, cluster.delta("S1", volume), true);
    assertThat(cluster.amount(sorter.amounts(a), "disk")).isEqualTo(10_000);
    sorter.allocated(a, cluster.delta("S2", volume), true);
    assertThat(cluster.amount(sorter.amounts(a), "disk")).isEqualTo(20_000);
    sorter.released(a, cluster.delta("S1", volume));
    assertThat(cluster.amount(sorter.amounts(a), "disk")).isEqualTo(20_000);
    sorter.released(a, cluster.delta("S1", volume));
    assertThat(cluster.amount(sorter.amounts(a), "disk")).isEqualTo(10_000);
  }
}
