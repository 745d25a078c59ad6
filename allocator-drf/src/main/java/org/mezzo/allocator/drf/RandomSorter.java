package org.mezzo.allocator.drf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Serves clients in a random order in which, at every level of the tree of paths, one with twice
 * the weight comes first twice as often. What clients have does not count.
 */
final class RandomSorter<T> implements Sorter<T> {
  private final RandomGenerator random;
  private final boolean flat;
  private final Set<Entry<T>> clients = new HashSet<>();
  private Map<String, Double> weights = Map.of();
  private Entry<T>[] active;
  private boolean equalChances;

  RandomSorter(RandomGenerator random, boolean flat) {
    this.random = random;
    this.flat = flat;
  }

  private static final class Entry<T> implements Client {
    final String path;
    final T subject;
    boolean active;
    double chance;
    double key;

    Entry(String path, T subject) {
      this.path = path;
      this.subject = subject;
    }
  }

  @Override
  public Client add(String path, T subject) {
    Entry<T> entry = new Entry<>(path, subject);
    clients.add(entry);
    active = null;
    return entry;
  }

  @Override
  public void remove(Client client) {
    clients.remove(client);
    active = null;
  }

  @Override
  public void setActive(Client client, boolean wanted) {
    ((Entry<?>) client).active = wanted;
    active = null;
  }

  @Override
  public void allocated(Client client, Scalars.Delta delta, boolean served) {
    // Chances do not depend on it.
  }

  @Override
  public void released(Client client, Scalars.Delta delta) {
    // Chances do not depend on it.
  }

  @Override
  public void setWeights(Map<String, Double> weights) {
    this.weights = Map.copyOf(weights);
    active = null;
  }

  @Override
  public void walk(Predicate<T> visitor) {
    if (active == null) {
      prepare();
    }
    if (equalChances) {
      walkShuffled(visitor);
      return;
    }
    for (Entry<T> entry : active) {
      entry.key = -Math.pow(random.nextDouble(Double.MIN_NORMAL, 1), 1 / entry.chance);
    }
    Arrays.sort(active, (a, b) -> Double.compare(a.key, b.key));
    for (Entry<T> entry : active) {
      if (!visitor.test(entry.subject)) {
        return;
      }
    }
  }

  /** Shuffles only as far as the visitor wants to go. */
  private void walkShuffled(Predicate<T> visitor) {
    for (int i = 0; i < active.length; i++) {
      int next = random.nextInt(i, active.length);
      Entry<T> entry = active[next];
      active[next] = active[i];
      active[i] = entry;
      if (!visitor.test(entry.subject)) {
        return;
      }
    }
  }

  @SuppressWarnings("unchecked")
  private void prepare() {
    active = clients.stream().filter(client -> client.active).toArray(Entry[]::new);
    if (flat) {
      equalChances = true;
      return;
    }
    Set<String> inner = new HashSet<>();
    for (Entry<T> entry : active) {
      for (String path = parentOf(entry.path); !path.isEmpty(); path = parentOf(path)) {
        inner.add(path);
      }
    }
    Map<String, Double> siblings = new HashMap<>();
    Set<String> counted = new HashSet<>();
    for (Entry<T> entry : active) {
      for (String node : nodesOf(entry.path, inner)) {
        if (counted.add(node)) {
          siblings.merge(parentOf(node), weight(node), Double::sum);
        }
      }
    }
    equalChances = true;
    for (Entry<T> entry : active) {
      entry.chance = 1;
      for (String node : nodesOf(entry.path, inner)) {
        entry.chance *= weight(node) / siblings.get(parentOf(node));
      }
      equalChances &= entry.chance == active[0].chance;
    }
  }

  private double weight(String node) {
    return weights.getOrDefault(node, 1.0);
  }

  private static String parentOf(String node) {
    return node.substring(0, Math.max(0, node.lastIndexOf('/')));
  }

  /** The nodes on the way to a client; one with others below it is a child of its own path. */
  private static List<String> nodesOf(String path, Set<String> inner) {
    List<String> nodes = new ArrayList<>();
    for (int end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      nodes.add(path.substring(0, end));
    }
    nodes.add(path);
    if (inner.contains(path)) {
      nodes.add(path + "/.");
    }
    return nodes;
  }
}
