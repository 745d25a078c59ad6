package org.mezzo.resources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource.AllocationInfo;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.ReservationInfo;
import org.mezzo.protocol.v1.Resource.RevocableInfo;
import org.mezzo.protocol.v1.Resource.SharedInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources.Format;

class RulesTest {

  private static Resources parse(String text) throws ResourceFormatException {
    return Resources.parse(text, "*");
  }

  private static org.mezzo.protocol.v1.Resource.Builder scalar(String name, double value) {
    return org.mezzo.protocol.v1.Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value));
  }

  private static ReservationInfo reservation(ReservationInfo.Type type, String role) {
    return ReservationInfo.newBuilder().setType(type).setRole(role).build();
  }

  private static org.mezzo.protocol.v1.Resource.Builder volume(String id, String path) {
    return scalar("disk", 10)
        .addReservations(reservation(ReservationInfo.Type.STATIC, "eng"))
        .setDisk(
            DiskInfo.newBuilder()
                .setPersistence(DiskInfo.Persistence.newBuilder().setId(id).setPrincipal(path))
                .setVolume(Volume.newBuilder().setContainerPath(path).setMode(Volume.Mode.RW)));
  }

  private static org.mezzo.protocol.v1.Resource.Builder source(
      DiskInfo.Source.Type type, String id) {
    DiskInfo.Source.Builder source = DiskInfo.Source.newBuilder().setType(type);
    if (id != null) {
      source.setId(id);
    }
    return scalar("disk", 10).setDisk(DiskInfo.newBuilder().setSource(source));
  }

  private static Resources of(org.mezzo.protocol.v1.Resource.Builder... messages)
      throws ResourceFormatException {
    return Resources.of(
        java.util.Arrays.stream(messages)
            .map(org.mezzo.protocol.v1.Resource.Builder::build)
            .toList());
  }

  @Test
  void rule272ScalarsHaveThreeDigits() throws Exception {
    assertThat(of(scalar("cpus", 0)).isEmpty()).isTrue();
    assertThat(Resource.scalar("cpus", 0.0004).millis()).isZero();
    assertThat(Resource.scalar("cpus", 0.0005).millis()).isEqualTo(1);
    Resources tenth = parse("cpus:0.1");
    Resources sum = Resources.EMPTY;
    for (int i = 0; i < 10; i++) {
      sum = sum.plus(tenth);
    }
    assertThat(sum).isEqualTo(parse("cpus:1"));
    assertThat(sum.toMessages(Format.POST_REFINEMENT).get(0).getScalar().getValue()).isEqualTo(1.0);
    assertThat(Millis.of(-0.0015)).isEqualTo(-2);
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1, 0.0001, Double.NaN, Double.POSITIVE_INFINITY, 1e300})
  void rule273MessagesWithImpossibleScalars(double value) {
    assertThatThrownBy(() -> of(scalar("cpus", value)))
        .isInstanceOf(ResourceFormatException.class)
        .hasMessageContaining("Invalid scalar resource: value");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cpus:inf",
        "cpus:nan",
        "cpus:-1",
        "cpus:1e-310",
        "cpus:1e999",
        "cpus:1d",
        "cpus:0x1p3"
      })
  void rule273TextsWithImpossibleScalars(String text) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(ResourceFormatException.class)
        .hasMessageContaining("Bad type for resource 'cpus'");
  }

  @Test
  void rule274RangesCoalesce() throws Exception {
    assertThat(parse("ports:[3-4, 1-2, 10-10]").toString()).isEqualTo("ports:[1-4, 10-10]");
    assertThat(parse("ports:[0-18446744073709551615]").minus(parse("ports:[5-5]")).toString())
        .isEqualTo("ports:[0-4, 6-18446744073709551615]");
    var message =
        org.mezzo.protocol.v1.Resource.newBuilder().setName("ports").setType(Value.Type.RANGES);
    message.getRangesBuilder().addRangeBuilder().setBegin(5).setEnd(2);
    assertThatThrownBy(() -> of(message))
        .hasMessage("Resource 'ports:[5-2]' is invalid: Invalid ranges resource: begin > end");
    message.getRangesBuilder().getRangeBuilder(0).setBegin(1);
    message.getRangesBuilder().addRangeBuilder().setBegin(2).setEnd(9);
    assertThatThrownBy(() -> of(message)).hasMessageContaining("overlapping ranges");
  }

  @Test
  void rule275RangesContainAndSplit() throws Exception {
    assertThat(parse("ports:[1-10]").contains(parse("ports:[2-3, 5-10]"))).isTrue();
    assertThat(parse("ports:[1-4, 6-10]").contains(parse("ports:[3-7]"))).isFalse();
    assertThat(parse("ports:[1-10]").minus(parse("ports:[4-5]")))
        .isEqualTo(parse("ports:[1-3,6-10]"));
  }

  @Test
  void rule276Sets() throws Exception {
    assertThat(parse("zones:{a,b}").plus(parse("zones:{b,c}"))).isEqualTo(parse("zones:{c,b,a}"));
    assertThat(parse("zones:{a,b}").contains(parse("zones:{b}"))).isTrue();
    var twice =
        org.mezzo.protocol.v1.Resource.newBuilder()
            .setName("zones")
            .setType(Value.Type.SET)
            .setSet(Value.Set.newBuilder().addItem("a").addItem("a"));
    assertThatThrownBy(() -> of(twice)).hasMessageContaining("duplicate element 'a'");
  }

  @Test
  void rule277Printing() throws Exception {
    assertThat(parse("cpus:0.10;mem:1024;ports:[1-2,5-6];zones:{b,a}").toString())
        .isEqualTo("cpus:0.1; mem:1024; ports:[1-2, 5-6]; zones:{a, b}");
    assertThat(of(scalar("mem", 1234567890123.456)).toString()).isEqualTo("mem:1234567890123.46");
    assertThat(
            of(scalar("cpus", 0.1)
                    .setAllocationInfo(AllocationInfo.newBuilder().setRole("test"))
                    .addReservations(reservation(ReservationInfo.Type.DYNAMIC, "test")))
                .toString())
        .isEqualTo("cpus(allocated: test)(reservations: [(DYNAMIC,test)]):0.1");
  }

  @Test
  void rule278WhatDoesNotMerge() throws Exception {
    assertThat(of(scalar("cpus", 1), scalar("cpus", 1)).size()).isEqualTo(1);
    assertThat(
            of(source(DiskInfo.Source.Type.MOUNT, null), source(DiskInfo.Source.Type.MOUNT, null))
                .size())
        .isEqualTo(2);
    assertThat(
            of(source(DiskInfo.Source.Type.BLOCK, "b"), source(DiskInfo.Source.Type.BLOCK, "b"))
                .size())
        .isEqualTo(2);
    assertThat(
            of(source(DiskInfo.Source.Type.RAW, "r"), source(DiskInfo.Source.Type.RAW, "r")).size())
        .isEqualTo(2);
    assertThat(
            of(source(DiskInfo.Source.Type.RAW, null), source(DiskInfo.Source.Type.RAW, null))
                .size())
        .isEqualTo(1);
    assertThat(
            of(source(DiskInfo.Source.Type.PATH, null), source(DiskInfo.Source.Type.PATH, null))
                .size())
        .isEqualTo(1);
    assertThat(of(volume("v", "p"), volume("v", "p")).size()).isEqualTo(2);
  }

  @Test
  void rule278SharedOnesCountCopies() throws Exception {
    var shared = volume("v", "p").setShared(SharedInfo.getDefaultInstance());
    Resources twice = of(shared, shared);
    assertThat(twice.size()).isEqualTo(1);
    assertThat(twice.get(0).copies()).isEqualTo(2);
    assertThat(twice.toMessages(Format.POST_REFINEMENT)).hasSize(2);
    assertThat(twice.minus(of(shared))).isEqualTo(of(shared));
    assertThat(of(shared).contains(twice)).isFalse();
    assertThat(twice.quantities().get("disk")).isEqualTo(10_000);
  }

  @Test
  void rule279IndivisibleOnesAreTakenWhole() throws Exception {
    Resources mount = of(source(DiskInfo.Source.Type.MOUNT, null));
    Resources half =
        of(
            source(DiskInfo.Source.Type.MOUNT, null)
                .setScalar(Value.Scalar.newBuilder().setValue(5)));
    assertThat(mount.contains(half)).isFalse();
    assertThat(mount.minus(half)).isEqualTo(mount);
    assertThat(mount.minus(mount).isEmpty()).isTrue();
    Resources path = of(source(DiskInfo.Source.Type.PATH, null));
    Resources halfPath =
        of(
            source(DiskInfo.Source.Type.PATH, null)
                .setScalar(Value.Scalar.newBuilder().setValue(5)));
    assertThat(path.minus(halfPath)).isEqualTo(halfPath);
  }

  @Test
  void rule280DetailsOfAVolumeDoNotIdentifyButStay() throws Exception {
    Resources a = of(volume("v", "one"));
    Resources b = of(volume("v", "two"));
    assertThat(a).isEqualTo(b);
    assertThat(a.get(0).kind()).isSameAs(b.get(0).kind());
    assertThat(a.toMessages(Format.POST_REFINEMENT)).containsExactly(volume("v", "one").build());
    assertThat(of(volume("w", "one"))).isNotEqualTo(a);
  }

  @Test
  void rules281And282NothingIsDroppedAndSubtractionClips() throws Exception {
    assertThat(parse("cpus:0;ports:[];zones:{}").isEmpty()).isTrue();
    assertThat(parse("cpus:1;mem:5").minus(parse("cpus:3;gpus:1"))).isEqualTo(parse("mem:5"));
  }

  @Test
  void rule284FindPrefersTheRoleOfTheTargetThenUnreserved() throws Exception {
    Resources ours = parse("cpus(eng):1;cpus:2;cpus(ops):4");
    assertThat(ours.find(parse("cpus(eng):2"))).contains(parse("cpus(eng):1;cpus:1"));
    assertThat(ours.find(parse("cpus:3"))).isPresent();
    assertThat(ours.find(parse("cpus:2"))).contains(parse("cpus:2"));
    assertThat(ours.find(parse("cpus:7"))).contains(ours);
    assertThat(ours.find(parse("cpus:8"))).isEmpty();
  }

  @Test
  void rule285Text() throws Exception {
    Resources resources =
        Resources.parse(" cpus ( eng ) : 1 . 5 ; mem:10 ;; ports(*):[ 1 - 2 ] ", "ops");
    assertThat(resources.reservedTo("eng")).isEqualTo(Resources.parse("cpus(eng):1.5", "*"));
    assertThat(resources.reservedTo("ops")).isEqualTo(Resources.parse("mem(ops):10", "*"));
    assertThat(resources.unreserved()).isEqualTo(parse("ports:[1-2]"));
    assertThatThrownBy(() -> parse("cpus:1:2")).hasMessageContaining("missing or extra ':'");
    assertThatThrownBy(() -> parse("cpus")).hasMessageContaining("missing or extra ':'");
    assertThatThrownBy(() -> parse("cpus(eng:1")).hasMessageContaining("mismatched parentheses");
    assertThatThrownBy(() -> parse("cpus:many")).hasMessageContaining("Bad type for resource");
    assertThatThrownBy(() -> parse("ports:[1-2,3]")).hasMessageContaining("ranges");
    assertThatThrownBy(() -> parse("ports:[2-1]")).hasMessageContaining("begin > end");
    assertThatThrownBy(() -> parse("ports:[1-2")).hasMessageContaining("Mismatched brackets");
    assertThatThrownBy(() -> parse("cpus(a b):1")).hasMessageContaining("whitespace");
    assertThatThrownBy(() -> parse(":1")).hasMessageContaining("Empty resource name");
  }

  @Test
  void rule286Json() throws Exception {
    Resources resources =
        Resources.parse(
            """
             [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.5}},
              {"name": "mem", "type": "SCALAR", "scalar": {"value": 10}, "role": "*"},
              {"name": "disk", "type": "SCALAR", "scalar": {"value": 7},
               "reservations": [{"type": "STATIC", "role": "ops"}]},
              {"name": "ports", "type": "RANGES",
               "ranges": {"range": [{"begin": 1, "end": 2}, {"begin": 3, "end": 9}]},
               "role": "eng"}]
            """,
            "web");
    assertThat(resources).isEqualTo(parse("cpus(web):1.5;mem:10;disk(ops):7;ports(eng):[1-9]"));
    assertThat(parse("[]")).isEqualTo(Resources.EMPTY);
    assertThatThrownBy(() -> parse("[{\"name\": \"cpus\"}]")).hasMessageContaining("type");
    assertThatThrownBy(() -> parse("[1]")).hasMessageContaining("not an object");
    assertThatThrownBy(() -> parse("[{")).hasMessageContaining("Bad JSON array");
    assertThatThrownBy(() -> parse("[] []")).hasMessageContaining("more text");
    assertThatThrownBy(
            () ->
                parse(
                    "[{\"name\": \"cpus\", \"type\": \"SCALAR\", \"scalar\": {\"value\": 1},"
                        + " \"revocable\": {}}]"))
        .hasMessageContaining("revocable");
  }

  @Test
  void rule287WhatAnOperatorMayGive() {
    assertThatThrownBy(() -> parse("a:1;a:[1-2]")).hasMessageContaining("same type");
    assertThat(
            ResourceChecks.checkFlag(
                List.of(
                    scalar("cpus", 1).setRevocable(RevocableInfo.getDefaultInstance()).build())))
        .hasValueSatisfying(text -> assertThat(text).contains("revocable"));
    assertThat(ResourceChecks.checkFlag(List.of(volume("v", "p").build())))
        .hasValueSatisfying(text -> assertThat(text).contains("persistent"));
    assertThat(
            ResourceChecks.checkFlag(
                List.of(
                    scalar("cpus", 1)
                        .addReservations(reservation(ReservationInfo.Type.DYNAMIC, "r"))
                        .build())))
        .hasValueSatisfying(text -> assertThat(text).contains("dynamic"));
  }

  @Test
  void rule288AnExplicitZeroIsMentioned() throws Exception {
    assertThat(Resources.mentionedNames("cpus:0;mem:5")).containsExactlyInAnyOrder("cpus", "mem");
  }

  @Test
  void rule289GpusAreWhole() {
    assertThatThrownBy(() -> parse("gpus:1.5")).hasMessageContaining("unsigned integer");
  }

  @Test
  void rule290Forms() throws Exception {
    var dynamic =
        ReservationInfo.newBuilder()
            .setType(ReservationInfo.Type.DYNAMIC)
            .setRole("eng")
            .setPrincipal("ops")
            .build();
    var stack = scalar("cpus", 1).addReservations(dynamic).build();
    Resources resources = Resources.of(List.of(stack));
    var legacy =
        scalar("cpus", 1)
            .setRole("eng")
            .setReservation(ReservationInfo.newBuilder().setPrincipal("ops"))
            .build();
    assertThat(resources.toMessages(Format.POST_REFINEMENT)).containsExactly(stack);
    assertThat(resources.toMessages(Format.PRE_REFINEMENT)).containsExactly(legacy);
    assertThat(resources.toMessages(Format.ENDPOINT))
        .containsExactly(legacy.toBuilder().addReservations(dynamic).build());
    assertThat(parse("cpus:1").toMessages(Format.ENDPOINT))
        .containsExactly(scalar("cpus", 1).setRole("*").build());
    assertThat(parse("cpus(eng):1").toMessages(Format.PRE_REFINEMENT))
        .containsExactly(scalar("cpus", 1).setRole("eng").build());
    Resources refined =
        of(
            scalar("cpus", 1)
                .addReservations(reservation(ReservationInfo.Type.STATIC, "eng"))
                .addReservations(reservation(ReservationInfo.Type.DYNAMIC, "eng/web")));
    assertThat(refined.toMessages(Format.ENDPOINT))
        .isEqualTo(refined.toMessages(Format.POST_REFINEMENT));
  }

  @Test
  void rule291UpgradeAndMixedForms() throws Exception {
    assertThat(of(scalar("cpus", 1).setRole("*"))).isEqualTo(parse("cpus:1"));
    assertThat(of(scalar("cpus", 1).setRole("eng"))).isEqualTo(parse("cpus(eng):1"));
    Resources dynamic =
        of(
            scalar("cpus", 1)
                .setRole("eng")
                .setReservation(ReservationInfo.newBuilder().setPrincipal("p")));
    assertThat(dynamic.get(0).kind().reservations())
        .containsExactly(
            new Reservation(true, "eng", java.util.Optional.of("p"), java.util.Optional.empty()));
    assertThatThrownBy(
            () ->
                of(
                    scalar("cpus", 1)
                        .setRole("ops")
                        .addReservations(reservation(ReservationInfo.Type.STATIC, "eng"))))
        .hasMessageContaining("'role' is 'ops'");
    assertThatThrownBy(
            () ->
                of(
                    scalar("cpus", 1)
                        .setRole("eng")
                        .addReservations(reservation(ReservationInfo.Type.DYNAMIC, "eng"))))
        .hasMessageContaining("'reservation' must be set");
    assertThatThrownBy(
            () ->
                of(
                    scalar("cpus", 1)
                        .setReservation(ReservationInfo.newBuilder().setPrincipal("p"))))
        .hasMessageContaining("cannot be dynamically reserved");
  }

  @Test
  void rule292Stacks() {
    assertThatThrownBy(
            () ->
                of(
                    scalar("cpus", 1)
                        .addReservations(reservation(ReservationInfo.Type.STATIC, "*"))))
        .hasMessageContaining("\"*\"");
    assertThatThrownBy(
            () ->
                of(
                    scalar("cpus", 1)
                        .addReservations(reservation(ReservationInfo.Type.STATIC, "eng"))
                        .addReservations(reservation(ReservationInfo.Type.STATIC, "eng/a"))))
        .hasMessageContaining("cannot be STATIC");
    assertThatThrownBy(
            () ->
                of(
                    scalar("cpus", 1)
                        .addReservations(reservation(ReservationInfo.Type.STATIC, "eng"))
                        .addReservations(reservation(ReservationInfo.Type.DYNAMIC, "england"))))
        .hasMessageContaining("not a refinement");
    assertThatThrownBy(
            () -> of(scalar("cpus", 1).addReservations(ReservationInfo.newBuilder().setRole("a"))))
        .hasMessageContaining("'type'");
    assertThatThrownBy(
            () ->
                of(
                    scalar("cpus", -1)
                        .addReservations(reservation(ReservationInfo.Type.DYNAMIC, "r"))))
        .hasMessage(
            "Resource 'cpus(reservations: [(DYNAMIC,r)]):-1' is invalid: Invalid scalar resource:"
                + " value <= 0");
  }

  @Test
  void rule293WhoMayHaveIt() throws Exception {
    Resources resources = parse("cpus(eng):1;mem(eng/a):2;disk:3");
    assertThat(resources.allocatableTo("eng")).isEqualTo(parse("cpus(eng):1;disk:3"));
    assertThat(resources.allocatableTo("eng/a")).isEqualTo(resources);
    assertThat(resources.allocatableTo("england")).isEqualTo(parse("disk:3"));
    assertThat(resources.reserved().keySet()).containsExactlyInAnyOrder("eng", "eng/a");
  }

  @Test
  void rule294SharedAndDisk() {
    assertThatThrownBy(() -> of(scalar("cpus", 1).setShared(SharedInfo.getDefaultInstance())))
        .hasMessageContaining("cannot be shared");
    assertThatThrownBy(() -> of(scalar("disk", 1).setShared(SharedInfo.getDefaultInstance())))
        .hasMessageContaining("Only persistent volumes can be shared");
    assertThatThrownBy(() -> of(scalar("cpus", 1).setDisk(DiskInfo.getDefaultInstance())))
        .hasMessageContaining("DiskInfo should not be set for cpus resource");
    var raw = source(DiskInfo.Source.Type.RAW, "r");
    raw.getDiskBuilder().getSourceBuilder().getPathBuilder().setRoot("/x");
    assertThatThrownBy(() -> of(raw)).hasMessageContaining("neither 'path' nor 'mount'");
  }

  @Test
  void rules295To297Requests() {
    assertThat(ResourceChecks.checkRequest(List.of(volume("v", "p").build()))).isEmpty();
    assertThat(ResourceChecks.checkRequest(List.of(volume("a/b", "p").build())))
        .hasValueSatisfying(text -> assertThat(text).contains("invalid characters"));
    assertThat(
            ResourceChecks.checkRequest(
                List.of(volume("v", "p").build(), volume("v", "q").build())))
        .hasValueSatisfying(text -> assertThat(text).contains("not unique"));
    assertThat(ResourceChecks.checkRequest(List.of(volume("v", "p").clearReservations().build())))
        .contains(
            "Invalid DiskInfo: Persistent volumes cannot be created from unreserved resources");
    assertThat(
            ResourceChecks.checkRequest(
                List.of(scalar("disk", 1).setDisk(DiskInfo.getDefaultInstance()).build())))
        .contains("Invalid DiskInfo: DiskInfo is set but empty");
    assertThat(ResourceChecks.checkRequest(List.of(scalar("gpus", 0.5).build())))
        .contains("Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer");
    assertThat(
            ResourceChecks.checkRequest(
                List.of(
                    scalar("cpus", 1).build(),
                    scalar("cpus", 1).setRevocable(RevocableInfo.getDefaultInstance()).build())))
        .contains("Cannot use both revocable and non-revocable 'cpus' at the same time");
    assertThat(
            ResourceChecks.checkRequest(
                List.of(
                    scalar("cpus", 1)
                        .setAllocationInfo(AllocationInfo.newBuilder().setRole("test"))
                        .build(),
                    scalar("mem", 1)
                        .setAllocationInfo(AllocationInfo.newBuilder().setRole("other"))
                        .build())))
        .hasValueSatisfying(text -> assertThat(text).contains("multiple allocation roles"));
  }

  @Test
  void rule306Quantities() throws Exception {
    Resources resources = parse("cpus:1.5;cpus(eng):1;ports:[1-10,20-20];zones:{a,b}");
    assertThat(resources.quantities())
        .isEqualTo(Quantities.of(Map.of("cpus", 2500L, "ports", 11_000L, "zones", 2000L)))
        .hasToString("cpus:2.5; ports:11; zones:2");
    assertThat(parse("ports:[0-18446744073709551615]").quantities().get("ports"))
        .isEqualTo(Long.MAX_VALUE);
    assertThat(Quantities.parse("cpus:0.01;mem:32"))
        .isEqualTo(Quantities.of(Map.of("cpus", 10L, "mem", 32_000L)));
    assertThat(Quantities.parse("cpus:0").has("cpus")).isTrue();
    assertThatIllegalArgumentException().isThrownBy(() -> Quantities.parse("cpus:x"));
    assertThatIllegalArgumentException().isThrownBy(() -> Quantities.parse("cpus"));
  }

  @Test
  void rule307Attributes() throws Exception {
    List<Attribute> attributes = Attributes.parse("rack:a b:c;cpu_gen:4.5;ports:[1-2]\nrack:d");
    assertThat(attributes)
        .extracting(Attribute::getName)
        .containsExactly("rack", "cpu_gen", "ports", "rack");
    assertThat(attributes.get(0).getText().getValue()).isEqualTo("ab:c");
    assertThat(attributes.get(1).getScalar().getValue()).isEqualTo(4.5);
    assertThat(attributes.get(2).getRanges().getRange(0).getEnd()).isEqualTo(2);
    assertThatThrownBy(() -> Attributes.parse("x:{a}")).hasMessageContaining("is a set");
    assertThatThrownBy(() -> Attributes.parse("x:")).hasMessageContaining("Invalid attribute");
    assertThatThrownBy(() -> Attributes.parse(":y")).hasMessageContaining("Invalid attribute");
    assertThatThrownBy(() -> Attributes.parse("x")).hasMessageContaining("Invalid attribute");
  }

  @ParameterizedTest
  @CsvSource({
    "/a, start with a slash",
    "a/, end with a slash",
    "a//b, empty",
    "a/../b, relative path",
    "-a, dash",
    "a/*, stands for no role"
  })
  void rolesThatAreNone(String role, String problem) {
    assertThat(Roles.check(role)).hasValueSatisfying(text -> assertThat(text).contains(problem));
  }

  @Test
  void labelsOfReservationsHaveNoOrder() throws Exception {
    Label a = Label.newBuilder().setKey("a").build();
    Label b = Label.newBuilder().setKey("b").setValue("x").build();
    var one =
        scalar("cpus", 1)
            .addReservations(
                reservation(ReservationInfo.Type.DYNAMIC, "r").toBuilder()
                    .setLabels(Labels.newBuilder().addLabels(a).addLabels(b)));
    var other =
        scalar("cpus", 1)
            .addReservations(
                reservation(ReservationInfo.Type.DYNAMIC, "r").toBuilder()
                    .setLabels(Labels.newBuilder().addLabels(b).addLabels(a)));
    assertThat(of(one)).isEqualTo(of(other));
  }

  @Test
  void kindsAreOneObjectAndForgottenWhenUnused() throws Exception {
    ResourceKind kind = parse("cpus(eng):1").allocatedTo("eng").get(0).kind();
    assertThat(parse("cpus(eng):7").allocatedTo("eng").get(0).kind()).isSameAs(kind);
    assertThat(kind.unallocated()).isSameAs(parse("cpus(eng):1").get(0).kind());
    WeakReference<ResourceKind> seen =
        new WeakReference<>(parse("forgettable:1").allocatedTo("r").get(0).kind());
    int before = ResourceKind.pooled();
    for (int i = 0; i < 50 && seen.get() != null; i++) {
      System.gc();
      Thread.onSpinWait();
    }
    assertThat(seen.get()).isNull();
    for (int i = 0; i < 100 && ResourceKind.pooled() >= before; i++) {
      parse("another:" + i);
      System.gc();
    }
    assertThat(ResourceKind.pooled()).isLessThan(before);
  }
}
