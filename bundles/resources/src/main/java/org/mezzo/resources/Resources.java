package org.mezzo.resources;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.mezzo.protocol.json.Json;

/**
 * An immutable collection of resources in which equal kinds are merged. Empty amounts are dropped
 * (rule 281). Methods that find nothing to change answer the same object.
 */
public final class Resources implements Iterable<Resource> {
  private static final Resource[] NOTHING = {};
  private static final int MANY = 64;
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(32).build())
          .build();

  public static final Resources EMPTY = new Resources(NOTHING);

  private final Resource[] entries;

  /** Every flag of every kind, so that most filters need not look at the entries. */
  private final int flags;

  private Resources(Resource[] entries) {
    this.entries = entries;
    int any = 0;
    for (Resource entry : entries) {
      any |= entry.kind.flags;
    }
    this.flags = any;
  }

  private static Resources of(Resource[] entries, int size) {
    if (size == 0) {
      return EMPTY;
    }
    return new Resources(size == entries.length ? entries : Arrays.copyOf(entries, size));
  }

  /** The three forms of a resource message (rule 290). */
  public enum Format {
    /** {@code role} and {@code reservation}; a refined reservation stays a stack. */
    PRE_REFINEMENT,
    /** {@code reservations} only. */
    POST_REFINEMENT,
    /** Both, where there is at most one reservation. */
    ENDPOINT
  }

  /** From messages in any reservation format; throws on an invalid resource. */
  public static Resources of(Collection<org.mezzo.protocol.v1.Resource> messages)
      throws ResourceFormatException {
    Resource[] resources = new Resource[messages.size()];
    int i = 0;
    for (var message : messages) {
      Optional<String> problem = ResourceChecks.check(message);
      if (problem.isPresent()) {
        throw new ResourceFormatException(problem.get());
      }
      resources[i++] = Resource.ofChecked(ReservationForms.upgrade(message));
    }
    return of(resources);
  }

  /** Parses the text form, or the JSON form if the text starts with '[' (rules 285-287). */
  public static Resources parse(String text, String defaultRole) throws ResourceFormatException {
    List<org.mezzo.protocol.v1.Resource> messages = parseMessages(text, defaultRole);
    Resources resources = of(messages);
    Optional<String> problem =
        ResourceChecks.checkFlag(messages)
            .or(
                () ->
                    messages.stream()
                        .map(ResourceChecks::checkGpus)
                        .flatMap(Optional::stream)
                        .findFirst());
    if (problem.isPresent()) {
      throw new ResourceFormatException(problem.get());
    }
    return resources;
  }

  /**
   * The names that a text for {@link #parse} mentions, also those with a zero: nothing is to be
   * detected for them (rule 288).
   */
  public static Set<String> mentionedNames(String text) throws ResourceFormatException {
    return ResourceText.names(parseMessages(text, Roles.ANY));
  }

  private static List<org.mezzo.protocol.v1.Resource> parseMessages(String text, String defaultRole)
      throws ResourceFormatException {
    Optional<String> problem = Roles.check(defaultRole);
    if (problem.isPresent()) {
      throw new ResourceFormatException(problem.get());
    }
    return text.stripLeading().startsWith("[")
        ? parseJson(text, defaultRole)
        : ResourceText.parse(text, defaultRole);
  }

  private static List<org.mezzo.protocol.v1.Resource> parseJson(String text, String defaultRole)
      throws ResourceFormatException {
    List<org.mezzo.protocol.v1.Resource> messages = new ArrayList<>();
    try (JsonParser parser = JSON.createParser(text)) {
      parser.nextToken();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
          throw new ResourceFormatException(
              "Resource " + messages.size() + " of the JSON array is not an object");
        }
        ByteArrayOutputStream element = new ByteArrayOutputStream();
        try (JsonGenerator copy = JSON.createGenerator(element, JsonEncoding.UTF8)) {
          copy.copyCurrentStructure(parser);
        }
        messages.add(
            withRole(
                Json.decode(
                    element.toByteArray(), org.mezzo.protocol.v1.Resource.getDefaultInstance()),
                defaultRole));
      }
      if (parser.nextToken() != null) {
        throw new ResourceFormatException("There is more text after the JSON array of resources");
      }
    } catch (IOException e) {
      throw new ResourceFormatException("Bad JSON array of resources: " + e.getMessage());
    }
    return messages;
  }

  private static org.mezzo.protocol.v1.Resource withRole(
      org.mezzo.protocol.v1.Resource message, String defaultRole) throws ResourceFormatException {
    var completed =
        message.hasRole() || message.getReservationsCount() > 0
            ? message
            : message.toBuilder().setRole(defaultRole).build();
    Optional<String> problem = ResourceChecks.check(completed);
    if (problem.isPresent()) {
      throw new ResourceFormatException(problem.get());
    }
    return ReservationForms.upgrade(completed);
  }

  public static Resources of(Resource... resources) {
    if (resources.length > MANY) {
      return Places.sum(resources, 0, resources);
    }
    Resource[] out = new Resource[resources.length];
    int size = 0;
    for (Resource resource : resources) {
      size = add(out, size, resource);
    }
    return of(out, size);
  }

  /** The sum of many, in one go. */
  public static Resources sum(Iterable<Resources> all) {
    Resources sum = EMPTY;
    for (Resources resources : all) {
      sum = sum.plus(resources);
    }
    return sum;
  }

  /** Whether comparing each with each would take too long. */
  private boolean isLarge(Resources other) {
    return entries.length > MANY && other.entries.length > MANY;
  }

  /**
   * Arithmetic on collections so large that entries are looked up rather than searched. Entries
   * that can become one, or of which one can be taken out of the other, have the same key.
   */
  private static final class Places {
    private final Map<Object, ArrayDeque<Integer>> places = new HashMap<>();

    private static Object key(Resource resource) {
      if ((resource.kind.flags & ResourceKind.SHARED) != 0) {
        return resource.withCopies(1);
      }
      return (resource.kind.flags & ResourceKind.EXCLUSIVE) != 0 ? resource : resource.kind;
    }

    private Places(Resource[] entries, int size) {
      for (int i = 0; i < size; i++) {
        put(entries[i], i);
      }
    }

    private void put(Resource resource, int place) {
      places.computeIfAbsent(key(resource), k -> new ArrayDeque<>(1)).push(place);
    }

    private Integer find(Resource resource) {
      ArrayDeque<Integer> found = places.get(key(resource));
      return found == null ? null : found.peek();
    }

    /** The first entries, which are merged already, and all others. */
    static Resources sum(Resource[] first, int size, Resource[] others) {
      Resource[] out = Arrays.copyOf(first, size + others.length);
      Places places = new Places(first, size);
      for (Resource resource : others) {
        if (resource.isEmpty()) {
          continue;
        }
        Integer place = places.find(resource);
        if (place != null && out[place].mergesWith(resource)) {
          out[place] = out[place].plus(resource);
        } else {
          places.put(resource, size);
          out[size++] = resource;
        }
      }
      return of(out, size);
    }

    static Resources difference(Resource[] entries, Resource[] others) {
      Resource[] out = entries.clone();
      Places places = new Places(entries, entries.length);
      for (Resource taken : others) {
        Integer place = places.find(taken);
        if (place != null) {
          out[place] = out[place].minus(taken);
          if (out[place] == null) {
            places.places.get(key(taken)).pop();
          }
        }
      }
      int size = 0;
      for (Resource left : out) {
        if (left != null) {
          out[size++] = left;
        }
      }
      return of(out, size);
    }

    static boolean contains(Resource[] entries, Resource[] others) {
      Places ours = new Places(entries, entries.length);
      Places wanted = new Places(others, others.length);
      for (Resource other : others) {
        Object key = key(other);
        ArrayDeque<Integer> found = ours.places.get(key);
        if (found == null
            || found.size() < wanted.places.get(key).size()
            || !entries[found.peek()].holds(other)) {
          return false;
        }
      }
      return true;
    }
  }

  private static int add(Resource[] out, int size, Resource resource) {
    if (resource.isEmpty()) {
      return size;
    }
    if ((resource.kind.flags & (ResourceKind.EXCLUSIVE | ResourceKind.SHARED))
        == ResourceKind.EXCLUSIVE) {
      out[size] = resource;
      return size + 1;
    }
    for (int i = 0; i < size; i++) {
      if (out[i].mergesWith(resource)) {
        out[i] = out[i].plus(resource);
        return size;
      }
    }
    out[size] = resource;
    return size + 1;
  }

  /** As messages; shared resources once for each copy. */
  public List<org.mezzo.protocol.v1.Resource> toMessages(Format format) {
    List<org.mezzo.protocol.v1.Resource> messages = new ArrayList<>(entries.length);
    for (Resource entry : entries) {
      var message = entry.toMessage(format);
      for (int copy = 0; copy < entry.copies; copy++) {
        messages.add(message);
      }
    }
    return messages;
  }

  public Resources plus(Resources other) {
    if (entries.length == 0) {
      return other;
    }
    if (other.entries.length == 0) {
      return this;
    }
    if (isLarge(other)) {
      return Places.sum(entries, entries.length, other.entries);
    }
    Resource[] out = Arrays.copyOf(entries, entries.length + other.entries.length);
    int size = entries.length;
    for (Resource entry : other.entries) {
      size = add(out, size, entry);
    }
    return of(out, size);
  }

  /** Clips at nothing (rule 282). */
  public Resources minus(Resources other) {
    if (entries.length == 0 || other.entries.length == 0) {
      return this;
    }
    if (isLarge(other)) {
      return Places.difference(entries, other.entries);
    }
    Resource[] out = null;
    int size = entries.length;
    for (Resource taken : other.entries) {
      Resource[] from = out == null ? entries : out;
      for (int i = 0; i < size; i++) {
        if (!from[i].givesTo(taken)) {
          continue;
        }
        if (out == null) {
          out = entries.clone();
        }
        Resource left = out[i].minus(taken);
        if (left != null) {
          out[i] = left;
        } else {
          size--;
          System.arraycopy(out, i + 1, out, i, size - i);
        }
        break;
      }
    }
    return out == null ? this : of(out, size);
  }

  public boolean contains(Resources other) {
    if (this == other) {
      return true;
    }
    if (isLarge(other)) {
      return Places.contains(entries, other.entries);
    }
    for (Resource wanted : other.entries) {
      if (!holds(wanted)) {
        return false;
      }
    }
    return (other.flags & ResourceKind.EXCLUSIVE) == 0 || holdsEachExclusive(other);
  }

  private boolean holds(Resource wanted) {
    for (Resource entry : entries) {
      if (entry.givesTo(wanted) && entry.holds(wanted)) {
        return true;
      }
    }
    return false;
  }

  /** Indivisible entries do not merge, so the same one can be there, or wanted, several times. */
  private boolean holdsEachExclusive(Resources other) {
    for (Resource wanted : other.entries) {
      if ((wanted.kind.flags & ResourceKind.EXCLUSIVE) != 0
          && (wanted.kind.flags & ResourceKind.SHARED) == 0
          && count(wanted) < other.count(wanted)) {
        return false;
      }
    }
    return true;
  }

  private int count(Resource wanted) {
    int count = 0;
    for (Resource entry : entries) {
      count += entry.equals(wanted) ? 1 : 0;
    }
    return count;
  }

  /** Resources of ours that satisfy the target's amounts (rule 284). */
  public Optional<Resources> find(Resources target) {
    Resources found = EMPTY;
    Resources left = this;
    for (Resource wanted : target.entries) {
      Optional<Resources> part = left.find(wanted);
      if (part.isEmpty()) {
        return Optional.empty();
      }
      found = found.plus(part.get());
      left = left.minus(part.get());
    }
    return Optional.of(found);
  }

  private Optional<Resources> find(Resource wanted) {
    List<Predicate<Resource>> preference = new ArrayList<>();
    String role = wanted.kind.reservationRole;
    if (role != null) {
      preference.add(entry -> role.equals(entry.kind.reservationRole));
    }
    preference.add(entry -> !entry.kind.isReserved());
    preference.add(entry -> entry.kind.isReserved() && !entry.kind.reservationRole.equals(role));
    Resources found = EMPTY;
    Resource remaining = withoutReservations(wanted);
    for (Predicate<Resource> preferred : preference) {
      for (Resource entry : entries) {
        if (!preferred.test(entry)) {
          continue;
        }
        Resource plain = withoutReservations(entry);
        if (plain.givesTo(remaining) && plain.holds(remaining)) {
          return Optional.of(found.plus(of(remaining.as(entry.kind))));
        }
        if (remaining.givesTo(plain) && remaining.holds(plain)) {
          found = found.plus(of(entry));
          remaining = remaining.minus(plain);
        }
      }
    }
    return Optional.empty();
  }

  private static Resource withoutReservations(Resource entry) {
    return entry.as(entry.kind.withReservations(List.of()));
  }

  public boolean isEmpty() {
    return entries.length == 0;
  }

  public int size() {
    return entries.length;
  }

  /** The entry at that place, from 0 to {@link #size} - 1; the order means nothing. */
  public Resource get(int index) {
    return entries[index];
  }

  @Override
  public Iterator<Resource> iterator() {
    return new Iterator<>() {
      private int next;

      @Override
      public boolean hasNext() {
        return next < entries.length;
      }

      @Override
      public Resource next() {
        if (next == entries.length) {
          throw new NoSuchElementException();
        }
        return entries[next++];
      }
    };
  }

  /** The same resources with this allocation role. */
  public Resources allocatedTo(String role) {
    return as(kind -> kind.allocatedTo(role));
  }

  /** The same resources without allocation role. */
  public Resources unallocated() {
    return (flags & ResourceKind.ALLOCATED) == 0 ? this : as(ResourceKind::unallocated);
  }

  /** Kinds that differ in the allocation role only can become one. */
  Resources as(UnaryOperator<ResourceKind> other) {
    if (entries.length == 0) {
      return this;
    }
    Resource[] out = new Resource[entries.length];
    for (int i = 0; i < entries.length; i++) {
      out[i] = entries[i].as(other.apply(entries[i].kind));
    }
    return of(out);
  }

  /** The same resources without reservations. */
  public Resources withoutReservations() {
    return (flags & ResourceKind.RESERVED) == 0
        ? this
        : as(kind -> kind.withReservations(List.of()));
  }

  public Resources filter(Predicate<Resource> keep) {
    int kept = 0;
    while (kept < entries.length && keep.test(entries[kept])) {
      kept++;
    }
    if (kept == entries.length) {
      return this;
    }
    Resource[] out = Arrays.copyOf(entries, entries.length - 1);
    int size = kept;
    for (int i = kept + 1; i < entries.length; i++) {
      if (keep.test(entries[i])) {
        out[size++] = entries[i];
      }
    }
    return of(out, size);
  }

  private Resources without(int flag) {
    return (flags & flag) == 0 ? this : filter(entry -> (entry.kind.flags & flag) == 0);
  }

  private Resources with(int flag) {
    return (flags & flag) == 0 ? EMPTY : filter(entry -> (entry.kind.flags & flag) != 0);
  }

  public Resources unreserved() {
    return without(ResourceKind.RESERVED);
  }

  /** Those whose last reservation is for exactly this role. */
  public Resources reservedTo(String role) {
    return (flags & ResourceKind.RESERVED) == 0
        ? EMPTY
        : filter(entry -> role.equals(entry.kind.reservationRole));
  }

  /** By role of the last reservation. */
  public Map<String, Resources> reserved() {
    return (flags & ResourceKind.RESERVED) == 0
        ? Map.of()
        : by(entry -> entry.kind.reservationRole);
  }

  /** Those that may be allocated to the role (rule 293). */
  public Resources allocatableTo(String role) {
    return (flags & ResourceKind.RESERVED) == 0
        ? this
        : filter(entry -> entry.kind.isAllocatableTo(role));
  }

  /** By allocation role; resources without one are left out. */
  public Map<String, Resources> allocations() {
    return (flags & ResourceKind.ALLOCATED) == 0
        ? Map.of()
        : by(entry -> entry.kind.allocationRole);
  }

  private Map<String, Resources> by(Function<Resource, String> role) {
    Map<String, List<Resource>> groups = new LinkedHashMap<>();
    for (Resource entry : entries) {
      String group = role.apply(entry);
      if (group != null) {
        groups.computeIfAbsent(group, g -> new ArrayList<>()).add(entry);
      }
    }
    Map<String, Resources> out = new HashMap<>();
    groups.forEach((group, list) -> out.put(group, of(list.toArray(NOTHING), list.size())));
    return out;
  }

  public Resources revocable() {
    return with(ResourceKind.REVOCABLE);
  }

  public Resources nonRevocable() {
    return without(ResourceKind.REVOCABLE);
  }

  public Resources shared() {
    return with(ResourceKind.SHARED);
  }

  public Resources nonShared() {
    return without(ResourceKind.SHARED);
  }

  /** Those with at most one reservation, which peers without refinement understand. */
  public Resources nonRefined() {
    return without(ResourceKind.REFINED);
  }

  public Resources scalars() {
    return without(ResourceKind.NON_SCALAR);
  }

  public Resources persistentVolumes() {
    return with(ResourceKind.PERSISTENT);
  }

  /** Whether some entry is reserved. */
  public boolean hasReserved() {
    return (flags & ResourceKind.RESERVED) != 0;
  }

  /** Whether some entry is revocable. */
  public boolean hasRevocable() {
    return (flags & ResourceKind.REVOCABLE) != 0;
  }

  /** Whether some entry is shared. */
  public boolean hasShared() {
    return (flags & ResourceKind.SHARED) != 0;
  }

  /**
   * Scalars of these that stay within the amounts: an entry larger than what is left of its name is
   * cut, or dropped if it is indivisible; names the amounts lack are dropped, as are ranges and
   * sets.
   */
  public Resources shrink(Quantities amounts) {
    return shrink(amounts, false);
  }

  /** As {@link #shrink}, but names that the limits lack stay whole. */
  public Resources limit(Quantities limits) {
    return limits.isEmpty() ? this : shrink(limits, true);
  }

  private Resources shrink(Quantities amounts, boolean keepOthers) {
    Resource[] out = new Resource[entries.length];
    int size = 0;
    for (Resource entry : entries) {
      if (!amounts.has(entry.kind.name)) {
        if (keepOthers) {
          out[size++] = entry;
        }
        continue;
      }
      if (entry.kind.type != ResourceKind.Type.SCALAR) {
        continue;
      }
      long left = amounts.get(entry.kind.name);
      if (entry.millis <= left) {
        out[size++] = entry;
        amounts = amounts.less(entry.kind.name, entry.millis);
      } else if (left > 0 && (entry.kind.flags & ResourceKind.EXCLUSIVE) == 0) {
        out[size++] = entry.withMillis(left);
        amounts = amounts.less(entry.kind.name, left);
      }
    }
    return of(out, size);
  }

  /** Ranges and sets by count, scalars by value; copies of shared ones count once. */
  public Quantities quantities() {
    return Quantities.of(entries);
  }

  public Set<String> names() {
    Set<String> names = new TreeSet<>();
    for (Resource entry : entries) {
      names.add(entry.kind.name);
    }
    return names;
  }

  /** Sum of the scalars of that name in thousandths. */
  public long scalar(String name) {
    long sum = 0;
    for (Resource entry : entries) {
      if (entry.kind.type == ResourceKind.Type.SCALAR && entry.kind.name.equals(name)) {
        sum = Millis.sum(sum, entry.millis);
      }
    }
    return sum;
  }

  /**
   * The text form that {@link #parse} reads. What it cannot express (allocation, dynamic or refined
   * reservations, disks, revocable, shared) is left out of the entry's text.
   */
  public String toText() {
    StringBuilder text = new StringBuilder();
    for (Resource entry : entries) {
      text.append(text.length() == 0 ? "" : ";").append(entry.kind.name);
      if (entry.kind.reservationRole != null) {
        text.append('(').append(entry.kind.reservationRole).append(')');
      }
      text.append(':').append(entry.valueText());
    }
    return text.toString();
  }

  /** Same entries in any order; disk details do not count (rule 280). */
  @Override
  public boolean equals(Object other) {
    if (this == other) {
      return true;
    }
    if (!(other instanceof Resources that) || entries.length != that.entries.length) {
      return false;
    }
    if (isLarge(that)) {
      return Places.contains(entries, that.entries) && Places.contains(that.entries, entries);
    }
    for (Resource entry : entries) {
      if (count(entry) != that.count(entry)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    int hash = 0;
    for (Resource entry : entries) {
      hash += entry.hashCode();
    }
    return hash;
  }

  /** As logs and error messages of the field show them, for example {@code cpus:4; mem:32}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Resource entry : entries) {
      text.append(text.length() == 0 ? "" : "; ").append(entry);
    }
    return text.toString();
  }
}
