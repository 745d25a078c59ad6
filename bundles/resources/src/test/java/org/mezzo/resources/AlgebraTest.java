package org.mezzo.resources;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.mezzo.protocol.v1.Resource.AllocationInfo;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.RevocableInfo;
import org.mezzo.protocol.v1.Resource.SharedInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources.Format;

/** The laws of the algebra, for resources of every kind. */
class AlgebraTest {

  private static final List<List<Reservation>> STACKS =
      List.of(
          List.of(),
          List.of(),
          List.of(Reservation.fixed("eng")),
          List.of(
              Reservation.fixed("eng"),
              new Reservation(
                  true, "eng/web", java.util.Optional.of("ops"), java.util.Optional.empty())));

  @Provide
  Arbitrary<Resource> divisible() {
    return Combinators.combine(
            Arbitraries.of("cpus", "mem", "disk"),
            Arbitraries.longs().between(0, 5000),
            Arbitraries.of(STACKS),
            Arbitraries.of(true, false, false),
            Arbitraries.of("", "eng", "ops"))
        .as(
            (name, millis, stack, revocable, allocated) -> {
              var message = message(name, stack, allocated).setType(Value.Type.SCALAR);
              message.setScalar(Value.Scalar.newBuilder().setValue(millis / 1000.0));
              if (revocable) {
                message.setRevocable(RevocableInfo.getDefaultInstance());
              }
              return Resource.ofChecked(message.build());
            });
  }

  @Provide
  Arbitrary<Resource> indivisible() {
    return Combinators.combine(
            Arbitraries.of("v1", "v2"),
            Arbitraries.of(1.0, 2.0),
            Arbitraries.of(true, false),
            Arbitraries.of("", "eng"))
        .as(
            (id, size, shared, allocated) -> {
              var message =
                  message("disk", List.of(Reservation.fixed("eng")), allocated)
                      .setType(Value.Type.SCALAR)
                      .setScalar(Value.Scalar.newBuilder().setValue(size))
                      .setDisk(volume(id, "data"));
              if (shared) {
                message.setShared(SharedInfo.getDefaultInstance());
              }
              return Resource.ofChecked(message.build());
            });
  }

  @Provide
  Arbitrary<Resource> ranges() {
    Arbitrary<List<Integer>> bounds = Arbitraries.integers().between(0, 40).list().ofMaxSize(6);
    return Combinators.combine(Arbitraries.of("ports", "vlans"), Arbitraries.of("", "eng"), bounds)
        .as(
            (name, allocated, list) -> {
              long[] spans = new long[list.size() / 2 * 2];
              for (int i = 0; i < spans.length; i += 2) {
                spans[i] = list.get(i);
                spans[i + 1] = list.get(i) + list.get(i + 1) / 4;
              }
              Resource resource = Resource.ranges(name, spans);
              return allocated.isEmpty()
                  ? resource
                  : resource.as(resource.kind().allocatedTo(allocated));
            });
  }

  @Provide
  Arbitrary<Resource> sets() {
    return Arbitraries.of("a", "b", "c", "d")
        .set()
        .map(items -> Resource.set("zones", items.toArray(String[]::new)));
  }

  @Provide
  Arbitrary<Resources> any() {
    return Arbitraries.oneOf(divisible(), divisible(), indivisible(), ranges(), sets())
        .list()
        .ofMaxSize(7)
        .map(list -> Resources.of(list.toArray(Resource[]::new)));
  }

  /** Ranges and sets are idempotent under addition, so they are not in the laws of groups. */
  @Provide
  Arbitrary<Resources> countable() {
    return Arbitraries.oneOf(divisible(), divisible(), indivisible())
        .list()
        .ofMaxSize(7)
        .map(list -> Resources.of(list.toArray(Resource[]::new)));
  }

  private static org.mezzo.protocol.v1.Resource.Builder message(
      String name, List<Reservation> stack, String allocated) {
    var message = org.mezzo.protocol.v1.Resource.newBuilder().setName(name);
    stack.forEach(reservation -> message.addReservations(reservation.toMessage()));
    if (!allocated.isEmpty()) {
      message.setAllocationInfo(AllocationInfo.newBuilder().setRole(allocated));
    }
    return message;
  }

  private static DiskInfo volume(String id, String path) {
    return DiskInfo.newBuilder()
        .setPersistence(DiskInfo.Persistence.newBuilder().setId(id).setPrincipal("p"))
        .setVolume(Volume.newBuilder().setContainerPath(path).setMode(Volume.Mode.RW))
        .build();
  }

  @Property
  void whatIsAddedCanBeTakenAwayAgain(
      @ForAll("countable") Resources a, @ForAll("countable") Resources b) {
    assertThat(a.plus(b).minus(b)).isEqualTo(a);
  }

  @Property
  void disjointRangesCanBeTakenAwayAgain(@ForAll("any") Resources a, @ForAll("any") Resources b) {
    Resources disjoint = b.minus(a);
    Resources rest = a.filter(entry -> entry.type() != ResourceKind.Type.SCALAR);
    Resources other = disjoint.filter(entry -> entry.type() != ResourceKind.Type.SCALAR);
    assertThat(rest.plus(other).minus(other)).isEqualTo(rest);
  }

  @Property
  void additionKnowsNoOrder(
      @ForAll("any") Resources a, @ForAll("any") Resources b, @ForAll("any") Resources c) {
    assertThat(a.plus(b)).isEqualTo(b.plus(a)).hasSameHashCodeAs(b.plus(a));
    assertThat(a.plus(b).plus(c)).isEqualTo(a.plus(b.plus(c)));
  }

  @Property
  void theOrderOfEntriesMeansNothing(@ForAll("any") Resources a, @ForAll Random random) {
    List<Resource> entries = new ArrayList<>();
    a.forEach(entries::add);
    Collections.shuffle(entries, random);
    Resources shuffled = Resources.of(entries.toArray(Resource[]::new));
    assertThat(shuffled).isEqualTo(a).hasSameHashCodeAs(a);
    assertThat(shuffled.contains(a)).isTrue();
  }

  @Property
  void aSumContainsItsPartsAndDifferencesAreContained(
      @ForAll("any") Resources a, @ForAll("any") Resources b) {
    assertThat(a.plus(b).contains(a)).isTrue();
    assertThat(a.plus(b).contains(b)).isTrue();
    assertThat(a.contains(a.minus(b))).isTrue();
    assertThat(a.contains(Resources.EMPTY)).isTrue();
  }

  @Property
  void containingIsTransitive(
      @ForAll("any") Resources a, @ForAll("any") Resources b, @ForAll("any") Resources c) {
    Resources middle = a.minus(c);
    Resources small = middle.minus(b);
    assertThat(a.contains(middle)).isTrue();
    assertThat(middle.contains(small)).isTrue();
    assertThat(a.contains(small)).isTrue();
    if (a.contains(b) && b.contains(c)) {
      assertThat(a.contains(c)).isTrue();
    }
  }

  @Property
  void twoThatContainEachOtherAreEqual(@ForAll("any") Resources a, @ForAll("any") Resources b) {
    assertThat(a.contains(b) && b.contains(a)).isEqualTo(a.equals(b));
  }

  @Property
  void whatIsContainedCanBeTakenAndPutBack(@ForAll("any") Resources a, @ForAll("any") Resources b) {
    Resources part = a.minus(b);
    assertThat(a.minus(part).plus(part)).isEqualTo(a);
  }

  @Property
  void takingAllLeavesNothing(@ForAll("any") Resources a) {
    assertThat(a.minus(a)).isEqualTo(Resources.EMPTY);
    assertThat(a.minus(a).isEmpty()).isTrue();
  }

  @Property
  void messagesKeepEverything(@ForAll("any") Resources a) throws Exception {
    for (Format format : Format.values()) {
      assertThat(Resources.of(a.toMessages(format))).as(format.name()).isEqualTo(a);
    }
  }

  @Property
  void textRoundTrips(@ForAll("any") Resources all) throws Exception {
    Resources a =
        all.unallocated()
            .nonRevocable()
            .filter(entry -> !entry.kind().hasDisk() && !entry.kind().isRefined());
    assertThat(Resources.parse(a.toText(), "*")).isEqualTo(a);
  }

  @Property
  void quantitiesAddUp(@ForAll("countable") Resources a, @ForAll("countable") Resources b) {
    Resources x = a.nonShared();
    Resources y = b.nonShared();
    assertThat(x.plus(y).quantities()).isEqualTo(x.quantities().plus(y.quantities()));
    assertThat(x.quantities().plus(y.quantities()).minus(y.quantities())).isEqualTo(x.quantities());
    assertThat(x.plus(y).quantities().contains(y.quantities())).isTrue();
  }

  @Property
  void filtersPartition(@ForAll("any") Resources a) {
    assertThat(a.revocable().plus(a.nonRevocable())).isEqualTo(a);
    assertThat(a.shared().plus(a.nonShared())).isEqualTo(a);
    assertThat(a.unreserved().plus(Resources.sum(a.reserved().values()))).isEqualTo(a);
    assertThat(a.allocatedTo("x").unallocated()).isEqualTo(a.unallocated());
  }

  @Property
  void whatIsFoundHasTheAmountsOfTheTarget(
      @ForAll("countable") Resources all, @ForAll("countable") Resources wanted) {
    Resources a = all.unallocated().nonShared();
    Resources target = wanted.unallocated().nonShared();
    a.find(target)
        .ifPresent(
            found -> {
              assertThat(a.contains(found)).isTrue();
              assertThat(found.quantities()).isEqualTo(target.quantities());
            });
    if (a.contains(target)) {
      assertThat(a.find(target)).isPresent();
    }
  }

  @Property
  void shrinkingStaysWithin(@ForAll("countable") Resources a, @ForAll("countable") Resources b) {
    Quantities amounts = b.quantities();
    Resources shrunk = a.nonShared().shrink(amounts);
    assertThat(amounts.contains(shrunk.quantities())).isTrue();
    assertThat(a.quantities().contains(shrunk.quantities())).isTrue();
  }

  @Property
  void spansBehaveLikeSetsOfIntegers(
      @ForAll("ranges") Resource left, @ForAll("ranges") Resource right) {
    var a = integers(left);
    var b = integers(right);
    var union = new java.util.TreeSet<>(a);
    union.addAll(b);
    var difference = new java.util.TreeSet<>(a);
    difference.removeAll(b);
    assertThat(integers(Spans.union(left.spans, right.spans))).isEqualTo(union);
    assertThat(integers(Spans.minus(left.spans, right.spans))).isEqualTo(difference);
    assertThat(Spans.contains(left.spans, right.spans)).isEqualTo(a.containsAll(b));
    assertThat(Spans.count(left.spans)).isEqualTo(a.size());
  }

  private static java.util.TreeSet<Long> integers(Resource resource) {
    return integers(resource.spans);
  }

  private static java.util.TreeSet<Long> integers(long[] spans) {
    var out = new java.util.TreeSet<Long>();
    for (int i = 0; i < spans.length; i += 2) {
      assertThat(i == 0 || spans[i] > spans[i - 1] + 1).as("coalesced").isTrue();
      for (long n = spans[i]; n <= spans[i + 1]; n++) {
        out.add(n);
      }
    }
    return out;
  }

  /** More than {@code any()} by so many plain entries, none of them with a name in there. */
  private static Resources many(int from, int to) {
    Resource[] plain = new Resource[to - from];
    for (int i = from; i < to; i++) {
      plain[i - from] = Resource.scalar("plain" + i, 1 + i);
    }
    return Resources.of(plain);
  }

  @Property(tries = 300)
  void largeCollectionsObeyTheSameLaws(@ForAll("any") Resources a, @ForAll("any") Resources b) {
    Resources left = many(0, 90);
    Resources right = many(20, 110);
    Resources largeA = left.plus(a);
    Resources largeB = right.plus(b);
    assertThat(largeA.plus(largeB)).isEqualTo(left.plus(right).plus(a.plus(b)));
    assertThat(largeA.minus(largeB)).isEqualTo(left.minus(right).plus(a.minus(b)));
    assertThat(left.plus(right).plus(a).contains(largeB)).isEqualTo(a.contains(b));
    assertThat(largeA.equals(left.plus(b))).isEqualTo(a.equals(b));
    assertThat(largeA.quantities()).isEqualTo(left.quantities().plus(a.quantities()));
    assertThat(largeA.allocatedTo("x")).isEqualTo(left.allocatedTo("x").plus(a.allocatedTo("x")));
  }
}
