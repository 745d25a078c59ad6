package org.mezzo.allocator.drf;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Serves the client with the least dominant share first, at every level of the tree of paths; among
 * equals the one that was served fewer times, then the one whose path comes first.
 *
 * <p>Children are kept in order. An allocation moves the few nodes above it; anything else marks
 * the whole for sorting at the next walk.
 */
final class DrfSorter<T> implements Sorter<T> {
  private final Scalars cluster;
  private final boolean flat;
  private final Node<T> root = new Node<>(null, "", "");
  private final List<Node<T>> moved = new ArrayList<>();
  private Map<String, Double> weights = Map.of();
  private boolean walking;
  private boolean dirty;
  private long seen = -1;

  /** Counts moves; those of all nodes at once too. */
  private long moves;

  private long sortedAt;

  /**
   * @param flat whether paths are plain names, as those of frameworks are
   */
  DrfSorter(Scalars cluster, boolean flat) {
    this.cluster = cluster;
    this.flat = flat;
  }

  private static final class Node<T> implements Client {
    Node<T> parent;
    String name;
    String path;
    byte[] bytes;
    Scalars.Sum sum = new Scalars.Sum();
    long count;

    /** What the node's place among its siblings goes by; older than sum and count when moved. */
    double placedShare;

    long placedCount;

    /** When it was moved last, in counts of moves. */
    long movedAt;

    /** Null for a leaf, which is a client. */
    Node<T>[] children;

    int size;
    T subject;
    boolean active;

    Node(Node<T> parent, String name, String path) {
      this.parent = parent;
      this.name = name;
      setPath(path);
    }

    void setPath(String path) {
      this.path = path;
      this.bytes = path.getBytes(StandardCharsets.UTF_8);
    }

    int depth() {
      int depth = 0;
      for (Node<T> node = parent; node != null; node = node.parent) {
        depth++;
      }
      return depth;
    }

    boolean isLeaf() {
      return children == null;
    }

    @SuppressWarnings("unchecked")
    void append(Node<T> child) {
      if (children == null) {
        children = (Node<T>[]) new Node<?>[2];
      } else if (size == children.length) {
        children = Arrays.copyOf(children, 2 * size);
      }
      children[size++] = child;
    }

    Node<T> child(String name) {
      for (int i = 0; i < size; i++) {
        if (children[i].name.equals(name)) {
          return children[i];
        }
      }
      return null;
    }

    int indexOf(Node<T> child) {
      int i = 0;
      while (children[i] != child) {
        i++;
      }
      return i;
    }

    void removeAt(int i) {
      size--;
      System.arraycopy(children, i + 1, children, i, size - i);
      children[size] = null;
    }

    static int compare(Node<?> a, Node<?> b) {
      int order = Double.compare(a.placedShare, b.placedShare);
      if (order == 0) {
        order = Long.compare(a.placedCount, b.placedCount);
      }
      return order != 0 ? order : Arrays.compareUnsigned(a.bytes, b.bytes);
    }
  }

  @Override
  public Client add(String path, T subject) {
    dirty = true;
    Node<T> parent = root;
    if (!flat) {
      int end = path.indexOf('/');
      for (; end >= 0; end = path.indexOf('/', end + 1)) {
        parent = inner(parent, path.substring(parent == root ? 0 : parent.path.length() + 1, end));
      }
    }
    String name = parent == root ? path : path.substring(parent.path.length() + 1);
    Node<T> taken = flat ? null : parent.child(name);
    Node<T> leaf =
        taken == null ? new Node<>(parent, name, path) : new Node<>(taken, ".", path + "/.");
    leaf.subject = subject;
    leaf.parent.append(leaf);
    return leaf;
  }

  /** The node of that name that can have children; a client there moves one level down. */
  private Node<T> inner(Node<T> parent, String name) {
    String path = parent == root ? name : parent.path + "/" + name;
    Node<T> node = parent.child(name);
    if (node != null && !node.isLeaf()) {
      return node;
    }
    Node<T> inner = new Node<>(parent, name, path);
    if (node == null) {
      parent.append(inner);
      return inner;
    }
    parent.children[parent.indexOf(node)] = inner;
    inner.sum = node.sum.copy();
    inner.count = node.count;
    node.name = ".";
    node.setPath(path + "/.");
    node.parent = inner;
    inner.append(node);
    return inner;
  }

  @Override
  public void remove(Client client) {
    dirty = true;
    Node<T> node = node(client);
    Node<T> parent = node.parent;
    parent.removeAt(parent.indexOf(node));
    while (parent != root && parent.size == 0) {
      Node<T> empty = parent;
      parent = parent.parent;
      parent.removeAt(parent.indexOf(empty));
    }
    if (parent != root && parent.size == 1 && parent.children[0].name.equals(".")) {
      Node<T> leaf = parent.children[0];
      leaf.name = parent.name;
      leaf.setPath(parent.path);
      leaf.count = parent.count;
      leaf.parent = parent.parent;
      leaf.parent.children[leaf.parent.indexOf(parent)] = leaf;
    }
  }

  @SuppressWarnings("unchecked")
  private Node<T> node(Client client) {
    return (Node<T>) client;
  }

  @Override
  public void setActive(Client client, boolean active) {
    node(client).active = active;
  }

  @Override
  public void allocated(Client client, Scalars.Delta delta, boolean served) {
    for (Node<T> node = node(client); node != null; node = node.parent) {
      node.sum.change(delta, 1);
      node.count += served ? 1 : 0;
      if (node != root && !dirty) {
        if (walking) {
          moved.add(node);
        } else {
          move(node);
        }
      }
    }
  }

  @Override
  public void released(Client client, Scalars.Delta delta) {
    for (Node<T> node = node(client); node != null; node = node.parent) {
      node.sum.change(delta, -1);
    }
    dirty = true;
  }

  @Override
  public void setWeights(Map<String, Double> weights) {
    this.weights = Map.copyOf(weights);
    dirty = true;
  }

  @Override
  public void walk(Predicate<T> visitor) {
    sortIfNeeded();
    walking(() -> walk(root, visitor));
  }

  private void sortIfNeeded() {
    if (dirty || seen != cluster.version()) {
      moved.clear();
      sort(root);
      dirty = false;
      seen = cluster.version();
      sortedAt = ++moves;
    }
  }

  /** What is allocated during a walk moves nodes after it. */
  private void walking(Runnable walk) {
    walking = true;
    try {
      walk.run();
    } finally {
      walking = false;
      for (Node<T> node : moved) {
        move(node);
      }
      moved.clear();
    }
  }

  /** Keeps its nodes in order by moving those that the sorter has moved since. */
  private final class Some implements Subset<T> {
    private final Node<T>[] nodes;
    private int size;
    private long orderedAt = -1;

    Some(Node<T>[] nodes) {
      this.nodes = nodes;
      this.size = nodes.length;
    }

    @Override
    public void walk(Predicate<T> visitor) {
      sortIfNeeded();
      order();
      walking(
          () -> {
            for (int i = 0; i < size && visitor.test(nodes[i].subject); i++) {
              // The visitor does it all.
            }
          });
    }

    private void order() {
      if (orderedAt == moves) {
        return;
      }
      if (orderedAt < sortedAt || size < 8) {
        Arrays.sort(nodes, 0, size, DrfSorter::compareLeaves);
      } else {
        List<Node<T>> outOfPlace = new ArrayList<>();
        int kept = 0;
        for (int i = 0; i < size; i++) {
          Node<T> node = nodes[i];
          if (hasMoved(node)) {
            outOfPlace.add(node);
          } else {
            nodes[kept++] = node;
          }
        }
        for (Node<T> node : outOfPlace) {
          int to = -1 - Arrays.binarySearch(nodes, 0, kept, node, DrfSorter::compareLeaves);
          System.arraycopy(nodes, to, nodes, to + 1, kept - to);
          nodes[to] = node;
          kept++;
        }
      }
      orderedAt = moves;
    }

    private boolean hasMoved(Node<T> leaf) {
      for (Node<T> node = leaf; node != root; node = node.parent) {
        if (node.movedAt > orderedAt) {
          return true;
        }
      }
      return false;
    }

    @Override
    public void removeIf(Predicate<T> gone) {
      int kept = 0;
      for (int i = 0; i < size; i++) {
        if (!gone.test(nodes[i].subject)) {
          nodes[kept++] = nodes[i];
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
    return new Some(some.stream().map(this::node).filter(node -> node.active).toArray(Node[]::new));
  }

  /** The order in which a walk comes to them. */
  private static int compareLeaves(Node<?> a, Node<?> b) {
    Node<?> first = a;
    Node<?> second = b;
    if (first.parent == second.parent) {
      return Node.compare(first, second);
    }
    int depths = first.depth() - second.depth();
    for (; depths > 0; depths--) {
      first = first.parent;
    }
    for (; depths < 0; depths++) {
      second = second.parent;
    }
    while (first.parent != second.parent) {
      first = first.parent;
      second = second.parent;
    }
    return Node.compare(first, second);
  }

  private boolean walk(Node<T> parent, Predicate<T> visitor) {
    for (int i = 0; i < parent.size; i++) {
      Node<T> child = parent.children[i];
      if (child.isLeaf()) {
        if (child.active && !visitor.test(child.subject)) {
          return false;
        }
      } else if (!walk(child, visitor)) {
        return false;
      }
    }
    return true;
  }

  private void sort(Node<T> parent) {
    for (int i = 0; i < parent.size; i++) {
      Node<T> child = parent.children[i];
      place(child);
      if (!child.isLeaf()) {
        sort(child);
      }
    }
    if (parent.size > 1) {
      Arrays.sort(parent.children, 0, parent.size, Node::compare);
    }
  }

  private void place(Node<T> node) {
    double share = cluster.share(node.sum.amounts);
    node.placedShare =
        share == 0 || weights.isEmpty() ? share : share / weights.getOrDefault(node.path, 1.0);
    node.placedCount = node.count;
  }

  /** Brings one node to the place it belongs to now; its siblings are in order. */
  private void move(Node<T> node) {
    node.movedAt = ++moves;
    Node<T> parent = node.parent;
    if (parent.size == 1) {
      place(node);
      return;
    }
    Node<T>[] children = parent.children;
    int from = Arrays.binarySearch(children, 0, parent.size, node, Node::compare);
    place(node);
    if ((from == 0 || Node.compare(children[from - 1], node) < 0)
        && (from == parent.size - 1 || Node.compare(node, children[from + 1]) < 0)) {
      return;
    }
    System.arraycopy(children, from + 1, children, from, parent.size - 1 - from);
    int to = -1 - Arrays.binarySearch(children, 0, parent.size - 1, node, Node::compare);
    System.arraycopy(children, to, children, to + 1, parent.size - 1 - to);
    children[to] = node;
  }

  /** What a client has, in the order of the cluster's scalars; for tests. */
  long[] amounts(Client client) {
    return node(client).sum.amounts;
  }

  /** What all clients have together; for tests. */
  long[] amounts() {
    return root.sum.amounts;
  }
}
