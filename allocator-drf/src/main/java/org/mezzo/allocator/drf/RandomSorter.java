package org.mezzo.allocator.drf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
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
    walk(active, active.length, visitor);
  }

  private void walk(Entry<T>[] entries, int size, Predicate<T> visitor) {
    if (equalChances) {
      walkShuffled(entries, size, visitor);
      return;
    }
    for (int i = 0; i < size; i++) {
      Entry<T> entry = entries[i];
      entry.key = -Math.pow(random.nextDouble(Double.MIN_NORMAL, 1), 1 / entry.chance);
    }
    Arrays.sort(entries, 0, size, (a, b) -> Double.compare(a.key, b.key));
    for (int i = 0; i < size; i++) {
      if (!visitor.test(entries[i].subject)) {
        return;
      }
    }
  }

  /** Shuffles only as far as the visitor wants to go. */
  private void walkShuffled(Entry<T>[] entries, int size, Predicate<T> visitor) {
    for (int i = 0; i < size; i++) {
      int next = random.nextInt(i, size);
      Entry<T> entry = entries[next];
      entries[next] = entries[i];
      entries[i] = entry;
      if (!visitor.test(entry.subject)) {
        return;
      }
    }
  }

  /** Chances are relative, so those of some are what they are among all. */
  private final class Some implements Subset<T> {
    private final Entry<T>[] entries;
    private int size;

    Some(Entry<T>[] entries) {
      this.entries = entries;
      this.size = entries.length;
    }

    @Override
    public void walk(Predicate<T> visitor) {
      RandomSorter.this.walk(entries, size, visitor);
    }

    @Override
    public void removeIf(Predicate<T> gone) {
      int kept = 0;
      for (int i = 0; i < size; i++) {
        if (!gone.test(entries[i].subject)) {
          entries[kept++] = entries[i];
        }
      }
      size = kept;
    }

    @Override
    public int size() {
      return size;
    }
  }

  @Override
  @SuppressWarnings("unchecked")
  public Subset<T> subset(Collection<? extends Client> some) {
    if (active == null) {
      prepare();
    }
    return new Some(
        some.stream()
            .map(client -> (Entry<T>) client)
            .filter(entry -> entry.active)
            .toArray(Entry[]::new));
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
