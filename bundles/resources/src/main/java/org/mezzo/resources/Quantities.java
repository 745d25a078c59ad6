package org.mezzo.resources;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Amounts by resource name in thousandths (rule 306): scalars by value, ranges and sets by count.
 * Immutable.
 */
public final class Quantities {
  public static final Quantities EMPTY = new Quantities(new String[0], new long[0]);

  private static final int MANY = 64;

  /** Ascending, without duplicates. */
  private final String[] names;

  private final long[] amounts;

  private Quantities(String[] names, long[] amounts) {
    this.names = names;
    this.amounts = amounts;
  }

  private static Quantities of(String[] names, long[] amounts, int size) {
    if (size == 0) {
      return EMPTY;
    }
    return size == names.length
        ? new Quantities(names, amounts)
        : new Quantities(Arrays.copyOf(names, size), Arrays.copyOf(amounts, size));
  }

  /** One name with its amount in thousandths. */
  public static Quantities of(String name, long millis) {
    return new Quantities(new String[] {name}, new long[] {millis});
  }

  /** From amounts in thousandths; zeros are kept. */
  public static Quantities of(Map<String, Long> millis) {
    TreeMap<String, Long> sorted = new TreeMap<>(millis);
    return of(
        sorted.keySet().toArray(String[]::new),
        sorted.values().stream().mapToLong(Long::longValue).toArray(),
        sorted.size());
  }

  /** All that the resources amount to; copies of shared ones count once. */
  static Quantities of(Resource[] resources) {
    if (resources.length == 0) {
      return EMPTY;
    }
    if (resources.length > MANY) {
      Map<String, Long> sums = new TreeMap<>();
      for (Resource resource : resources) {
        sums.merge(resource.kind.name, resource.quantity(), Millis::sum);
      }
      return of(sums);
    }
    String[] names = new String[resources.length];
    long[] amounts = new long[resources.length];
    int size = 0;
    for (Resource resource : resources) {
      String name = resource.kind.name;
      int at = size;
      int order = -1;
      while (at > 0 && (order = names[at - 1].compareTo(name)) > 0) {
        at--;
      }
      if (at > 0 && order == 0) {
        amounts[at - 1] = Millis.sum(amounts[at - 1], resource.quantity());
      } else {
        System.arraycopy(names, at, names, at + 1, size - at);
        System.arraycopy(amounts, at, amounts, at + 1, size - at);
        names[at] = name;
        amounts[at] = resource.quantity();
        size++;
      }
    }
    return of(names, amounts, size);
  }

  /**
   * Parses {@code cpus:0.01;mem:32}.
   *
   * @throws IllegalArgumentException saying which entry is wrong
   */
  public static Quantities parse(String text) {
    Quantities sum = EMPTY;
    for (String entry : text.split(";")) {
      if (entry.isBlank()) {
        continue;
      }
      String[] parts = entry.split(":", -1);
      String name = parts[0].trim();
      String value = parts.length == 2 ? parts[1].replace(" ", "") : "";
      if (name.isEmpty() || !ResourceText.isScalar(value)) {
        throw new IllegalArgumentException(
            "Bad resource quantity '" + entry.trim() + "'; write name:number, number at least 0");
      }
      double number = Double.parseDouble(value);
      if (number > Millis.MAX_SCALAR) {
        throw new IllegalArgumentException(
            "Resource quantity '" + entry.trim() + "' is too large; at most 9e12");
      }
      sum = sum.plus(of(name, Millis.of(number)));
    }
    return sum;
  }

  private int indexOf(String name) {
    if (names.length > MANY) {
      return Arrays.binarySearch(names, name);
    }
    for (int i = 0; i < names.length; i++) {
      if (names[i].equals(name)) {
        return i;
      }
    }
    return -1;
  }

  /** The amount in thousandths; 0 for an absent name. */
  public long get(String name) {
    int i = indexOf(name);
    return i < 0 ? 0 : amounts[i];
  }

  /** Whether the name is present, also with 0. */
  public boolean has(String name) {
    return indexOf(name) >= 0;
  }

  /** The names in ascending order. */
  public Set<String> names() {
    return new LinkedHashSet<>(Arrays.asList(names));
  }

  public boolean isEmpty() {
    return names.length == 0;
  }

  /** The names of both, with the sums of their amounts. */
  public Quantities plus(Quantities other) {
    if (names.length == 0) {
      return other;
    }
    if (other.names.length == 0) {
      return this;
    }
    String[] sumNames = new String[names.length + other.names.length];
    long[] sums = new long[sumNames.length];
    int size = 0;
    int i = 0;
    int j = 0;
    while (i < names.length || j < other.names.length) {
      int order =
          i == names.length ? 1 : j == other.names.length ? -1 : names[i].compareTo(other.names[j]);
      sumNames[size] = order <= 0 ? names[i] : other.names[j];
      long mine = order <= 0 ? amounts[i++] : 0;
      long others = order >= 0 ? other.amounts[j++] : 0;
      sums[size++] = Millis.sum(mine, others);
    }
    return of(sumNames, sums, size);
  }

  /** Never negative; names that reach 0 drop out. */
  public Quantities minus(Quantities other) {
    String[] left = new String[names.length];
    long[] rest = new long[names.length];
    int size = 0;
    for (int i = 0; i < names.length; i++) {
      long amount = amounts[i] - other.get(names[i]);
      if (amount > 0) {
        left[size] = names[i];
        rest[size++] = amount;
      }
    }
    return of(left, rest, size);
  }

  /** As {@link #minus}, but names that reach 0 stay, as limits need it. */
  public Quantities minusKeepingNames(Quantities other) {
    long[] rest = amounts.clone();
    for (int i = 0; i < names.length; i++) {
      rest[i] = Math.max(0, rest[i] - other.get(names[i]));
    }
    return new Quantities(names, rest);
  }

  /** The same names with one amount reduced; it must be present and large enough. */
  Quantities less(String name, long millis) {
    long[] rest = amounts.clone();
    rest[indexOf(name)] -= millis;
    return new Quantities(names, rest);
  }

  /** Whether every amount of {@code other} is at most ours. */
  public boolean contains(Quantities other) {
    for (int i = 0; i < other.names.length; i++) {
      if (get(other.names[i]) < other.amounts[i]) {
        return false;
      }
    }
    return true;
  }

  /** The same names with the same amounts; a name with 0 differs from an absent one. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Quantities that
        && Arrays.equals(names, that.names)
        && Arrays.equals(amounts, that.amounts);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(names) + Arrays.hashCode(amounts);
  }

  /** For example {@code cpus:0.01; mem:32}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < names.length; i++) {
      text.append(i == 0 ? "" : "; ").append(names[i]).append(':').append(Millis.print(amounts[i]));
    }
    return text.toString();
  }
}
