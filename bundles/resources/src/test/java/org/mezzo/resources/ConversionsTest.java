package org.mezzo.resources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.protocol.v1.Offer.Operation;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Resource.AllocationInfo;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.ReservationInfo;
import org.mezzo.protocol.v1.Resource.RevocableInfo;
import org.mezzo.protocol.v1.Resource.SharedInfo;
import org.mezzo.protocol.v1.ResourceProviderID;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;

class ConversionsTest {

  private static Resource.Builder scalar(String name, double value, String... roles) {
    Resource.Builder resource =
        Resource.newBuilder()
            .setName(name)
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(value));
    for (String role : roles) {
      resource.addReservations(dynamic(role));
    }
    return resource;
  }

  private static ReservationInfo dynamic(String role) {
    return ReservationInfo.newBuilder()
        .setType(ReservationInfo.Type.DYNAMIC)
        .setRole(role)
        .setPrincipal("ann")
        .build();
  }

  private static ReservationInfo fixed(String role) {
    return ReservationInfo.newBuilder().setType(ReservationInfo.Type.STATIC).setRole(role).build();
  }

  private static Resource.Builder ports(long begin, long end, String... roles) {
    Resource.Builder resource =
        Resource.newBuilder()
            .setName("ports")
            .setType(Value.Type.RANGES)
            .setRanges(
                Value.Ranges.newBuilder()
                    .addRange(Value.Range.newBuilder().setBegin(begin).setEnd(end)));
    for (String role : roles) {
      resource.addReservations(dynamic(role));
    }
    return resource;
  }

  private static Resource.Builder onDisk(
      Resource.Builder resource, DiskInfo.Source.Type type, String root) {
    DiskInfo.Source.Builder source = DiskInfo.Source.newBuilder().setType(type);
    if (type == DiskInfo.Source.Type.MOUNT) {
      source.setMount(DiskInfo.Source.Mount.newBuilder().setRoot(root));
    } else {
      source.setPath(DiskInfo.Source.Path.newBuilder().setRoot(root));
    }
    return resource.setDisk(resource.getDisk().toBuilder().setSource(source));
  }

  private static Resource.Builder onMount(Resource.Builder resource) {
    return onDisk(resource, DiskInfo.Source.Type.MOUNT, "/mnt/a");
  }

  private static Resource.Builder onPath(Resource.Builder resource) {
    return onDisk(resource, DiskInfo.Source.Type.PATH, "/data");
  }

  private static Resource.Builder volume(String id, Resource.Builder disk) {
    return disk.setDisk(
        disk.getDisk().toBuilder()
            .setPersistence(DiskInfo.Persistence.newBuilder().setId(id).setPrincipal("ann"))
            .setVolume(Volume.newBuilder().setContainerPath("data").setMode(Volume.Mode.RW)));
  }

  private static Resource.Builder shared(Resource.Builder volume) {
    return volume.setShared(SharedInfo.getDefaultInstance());
  }

  private static Resource.Builder allocated(Resource.Builder resource, String role) {
    return resource.setAllocationInfo(AllocationInfo.newBuilder().setRole(role));
  }

  private static List<Resource> list(Resource.Builder... resources) {
    return Arrays.stream(resources).map(Resource.Builder::build).toList();
  }

  private static Operation reserve(List<Resource> resources) {
    return Operation.newBuilder()
        .setType(Operation.Type.RESERVE)
        .setReserve(Operation.Reserve.newBuilder().addAllResources(resources))
        .build();
  }

  private static Operation reserve(List<Resource> source, List<Resource> resources) {
    Operation.Builder operation = reserve(resources).toBuilder();
    operation.getReserveBuilder().addAllSource(source);
    return operation.build();
  }

  private static Operation unreserve(List<Resource> resources) {
    return Operation.newBuilder()
        .setType(Operation.Type.UNRESERVE)
        .setUnreserve(Operation.Unreserve.newBuilder().addAllResources(resources))
        .build();
  }

  private static Operation create(List<Resource> volumes) {
    return Operation.newBuilder()
        .setType(Operation.Type.CREATE)
        .setCreate(Operation.Create.newBuilder().addAllVolumes(volumes))
        .build();
  }

  private static Operation destroy(List<Resource> volumes) {
    return Operation.newBuilder()
        .setType(Operation.Type.DESTROY)
        .setDestroy(Operation.Destroy.newBuilder().addAllVolumes(volumes))
        .build();
  }

  private static Operation grow(Resource.Builder volume, Resource.Builder addition) {
    return Operation.newBuilder()
        .setType(Operation.Type.GROW_VOLUME)
        .setGrowVolume(Operation.GrowVolume.newBuilder().setVolume(volume).setAddition(addition))
        .build();
  }

  private static Operation shrink(Resource.Builder volume, double by) {
    return Operation.newBuilder()
        .setType(Operation.Type.SHRINK_VOLUME)
        .setShrinkVolume(
            Operation.ShrinkVolume.newBuilder()
                .setVolume(volume)
                .setSubtract(Value.Scalar.newBuilder().setValue(by)))
        .build();
  }

  static Stream<Arguments> conversions() {
    return Stream.of(
        Arguments.of(
            "RESERVE pushes one reservation",
            reserve(list(scalar("cpus", 1, "eng"), ports(1, 5, "eng"))),
            list(scalar("cpus", 1), ports(1, 5)),
            list(scalar("cpus", 1, "eng"), ports(1, 5, "eng"))),
        Arguments.of(
            "RESERVE refines a static reservation",
            reserve(
                list(
                    scalar("cpus", 1)
                        .addReservations(fixed("eng"))
                        .addReservations(dynamic("eng/web")))),
            list(scalar("cpus", 1).addReservations(fixed("eng"))),
            list(
                scalar("cpus", 1)
                    .addReservations(fixed("eng"))
                    .addReservations(dynamic("eng/web")))),
        Arguments.of(
            "RESERVE in the form before refinement",
            reserve(
                list(
                    scalar("cpus", 1)
                        .setRole("eng")
                        .setReservation(ReservationInfo.newBuilder().setPrincipal("ann")))),
            list(scalar("cpus", 1)),
            list(scalar("cpus", 1, "eng"))),
        Arguments.of(
            "RESERVE keeps the allocation",
            reserve(list(allocated(scalar("cpus", 1, "eng"), "eng"))),
            list(allocated(scalar("cpus", 1), "eng")),
            list(allocated(scalar("cpus", 1, "eng"), "eng"))),
        Arguments.of(
            "RESERVE with source goes to another branch",
            reserve(
                list(scalar("cpus", 1, "eng", "eng/web"), scalar("mem", 5, "eng", "eng/web")),
                list(scalar("cpus", 1, "eng", "eng/db"), scalar("mem", 5, "eng", "eng/db"))),
            list(scalar("cpus", 1, "eng", "eng/web"), scalar("mem", 5, "eng", "eng/web")),
            list(scalar("cpus", 1, "eng", "eng/db"), scalar("mem", 5, "eng", "eng/db"))),
        Arguments.of(
            "RESERVE with source goes several layers up",
            reserve(list(scalar("cpus", 1)), list(scalar("cpus", 1, "eng", "eng/db"))),
            list(scalar("cpus", 1)),
            list(scalar("cpus", 1, "eng", "eng/db"))),
        Arguments.of(
            "UNRESERVE pops the last reservation",
            unreserve(list(scalar("cpus", 1, "eng", "eng/web"), scalar("mem", 5, "eng"))),
            list(scalar("cpus", 1, "eng", "eng/web"), scalar("mem", 5, "eng")),
            list(scalar("cpus", 1, "eng"), scalar("mem", 5))),
        Arguments.of(
            "UNRESERVE of a whole mount",
            unreserve(list(onMount(scalar("disk", 50, "eng")))),
            list(onMount(scalar("disk", 50, "eng"))),
            list(onMount(scalar("disk", 50)))),
        Arguments.of(
            "CREATE on the root disk",
            create(list(volume("v", scalar("disk", 10, "eng")))),
            list(scalar("disk", 10, "eng")),
            list(volume("v", scalar("disk", 10, "eng")))),
        Arguments.of(
            "CREATE on a static reservation",
            create(list(volume("v", scalar("disk", 10).addReservations(fixed("eng"))))),
            list(scalar("disk", 10).addReservations(fixed("eng"))),
            list(volume("v", scalar("disk", 10).addReservations(fixed("eng"))))),
        Arguments.of(
            "CREATE of two with one id for two roles",
            create(
                list(
                    volume("v", scalar("disk", 10, "eng")), volume("v", scalar("disk", 5, "ops")))),
            list(scalar("disk", 10, "eng"), scalar("disk", 5, "ops")),
            list(volume("v", scalar("disk", 10, "eng")), volume("v", scalar("disk", 5, "ops")))),
        Arguments.of(
            "CREATE of a shared one",
            create(list(shared(volume("v", scalar("disk", 10, "eng"))))),
            list(scalar("disk", 10, "eng")),
            list(shared(volume("v", scalar("disk", 10, "eng"))))),
        Arguments.of(
            "CREATE on a mount and a path",
            create(
                list(
                    volume("m", onMount(scalar("disk", 50, "eng"))),
                    volume("p", onPath(scalar("disk", 10, "eng"))))),
            list(onMount(scalar("disk", 50, "eng")), onPath(scalar("disk", 10, "eng"))),
            list(
                volume("m", onMount(scalar("disk", 50, "eng"))),
                volume("p", onPath(scalar("disk", 10, "eng"))))),
        Arguments.of(
            "DESTROY gives the disk back",
            destroy(
                list(
                    shared(volume("s", scalar("disk", 10, "eng"))),
                    volume("m", onMount(scalar("disk", 50, "eng"))))),
            list(
                shared(volume("s", scalar("disk", 10, "eng"))),
                volume("m", onMount(scalar("disk", 50, "eng")))),
            list(scalar("disk", 10, "eng"), onMount(scalar("disk", 50, "eng")))),
        Arguments.of(
            "GROW_VOLUME takes disk of the same kind",
            grow(volume("v", scalar("disk", 10, "eng")), scalar("disk", 2.5, "eng")),
            list(volume("v", scalar("disk", 10, "eng")), scalar("disk", 2.5, "eng")),
            list(volume("v", scalar("disk", 12.5, "eng")))),
        Arguments.of(
            "GROW_VOLUME on a path",
            grow(volume("v", onPath(scalar("disk", 10, "eng"))), onPath(scalar("disk", 2, "eng"))),
            list(volume("v", onPath(scalar("disk", 10, "eng"))), onPath(scalar("disk", 2, "eng"))),
            list(volume("v", onPath(scalar("disk", 12, "eng"))))),
        Arguments.of(
            "SHRINK_VOLUME frees disk",
            shrink(volume("v", scalar("disk", 10, "eng")), 2.5),
            list(volume("v", scalar("disk", 10, "eng"))),
            list(volume("v", scalar("disk", 7.5, "eng")), scalar("disk", 2.5, "eng"))),
        Arguments.of(
            "SHRINK_VOLUME on a path",
            shrink(volume("v", onPath(scalar("disk", 10, "eng"))), 2),
            list(volume("v", onPath(scalar("disk", 10, "eng")))),
            list(volume("v", onPath(scalar("disk", 8, "eng"))), onPath(scalar("disk", 2, "eng")))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("conversions")
  void convertsAndKeepsTheAmounts(
      String name, Operation operation, List<Resource> consumed, List<Resource> converted)
      throws Exception {
    Conversion conversion = Conversions.of(operation);
    assertThat(conversion.consumed()).isEqualTo(Resources.of(consumed));
    assertThat(conversion.converted()).isEqualTo(Resources.of(converted));
    assertThat(conversion.converted().quantities()).isEqualTo(conversion.consumed().quantities());
    Resources total = conversion.consumed().plus(Resources.of(list(scalar("gpus", 2))));
    assertThat(conversion.appliedTo(total))
        .isEqualTo(conversion.converted().plus(Resources.of(list(scalar("gpus", 2)))));
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(Operation.getDefaultInstance(), "UNKNOWN does not convert"),
        Arguments.of(
            Operation.newBuilder().setType(Operation.Type.CREATE_DISK).build(),
            "CREATE_DISK does not convert an agent's own resources"),
        Arguments.of(
            Operation.newBuilder().setType(Operation.Type.RESERVE).build(),
            "Expecting 'reserve' to be present"),
        Arguments.of(
            Operation.newBuilder().setType(Operation.Type.SHRINK_VOLUME).build(),
            "Expecting 'shrink_volume' to be present"),
        Arguments.of(reserve(list()), "'reserve.resources' must not be empty"),
        Arguments.of(reserve(list(scalar("cpus", -1, "eng"))), "value <= 0"),
        Arguments.of(
            reserve(list(scalar("cpus", 0, "eng"))), "in 'reserve.resources' must be greater than"),
        Arguments.of(reserve(list(scalar("cpus", 1))), "is not dynamically reserved"),
        Arguments.of(
            reserve(list(scalar("cpus", 1).addReservations(fixed("eng")))),
            "is not dynamically reserved"),
        Arguments.of(reserve(list(scalar("cpus", 1, "eng", "ops"))), "is not a refinement"),
        Arguments.of(
            reserve(
                list(scalar("cpus", 1, "eng").setRevocable(RevocableInfo.getDefaultInstance()))),
            "is revocable and cannot be reserved"),
        Arguments.of(
            reserve(list(volume("v", scalar("disk", 1, "eng")))), "must already be reserved"),
        Arguments.of(
            reserve(
                list(scalar("cpus", 1, "eng"), scalar("mem", 1)),
                list(scalar("cpus", 1, "ops"), scalar("mem", 1, "ops"))),
            "All of 'reserve.source' must have the same reservations"),
        Arguments.of(
            reserve(
                list(scalar("cpus", 1, "eng"), scalar("mem", 1, "eng")),
                list(scalar("cpus", 1, "eng"), scalar("mem", 1, "ops"))),
            "All of 'reserve.resources' must have the same reservations"),
        Arguments.of(
            reserve(list(scalar("cpus", 1, "eng")), list(scalar("cpus", 2, "ops"))),
            "must be the same resources but for their reservations"),
        Arguments.of(
            reserve(
                list(scalar("cpus", 1).addReservations(fixed("eng"))),
                list(scalar("cpus", 1, "ops"))),
            "The static reservation for role 'eng' can be neither made nor taken away"),
        Arguments.of(
            reserve(list(volume("v", scalar("disk", 1, "eng"))), list(scalar("disk", 1, "ops"))),
            "cannot be updated; destroy the volume first"),
        Arguments.of(unreserve(list(scalar("cpus", 1))), "is not dynamically reserved"),
        Arguments.of(
            unreserve(list(scalar("cpus", 1).addReservations(fixed("eng")))),
            "is not dynamically reserved"),
        Arguments.of(
            unreserve(list(volume("v", scalar("disk", 1, "eng")))),
            "Please destroy the persistent volume first"),
        Arguments.of(create(list(scalar("disk", 1, "eng"))), "does not have DiskInfo"),
        Arguments.of(create(list(volume("v", scalar("disk", 1)))), "from unreserved resources"),
        Arguments.of(create(list(volume("a/b", scalar("disk", 1, "eng")))), "invalid characters"),
        Arguments.of(
            create(
                list(volume("v", scalar("disk", 1, "eng")), volume("v", scalar("disk", 2, "eng")))),
            "is not unique for role 'eng'"),
        Arguments.of(
            create(
                list(
                    shared(volume("v", scalar("disk", 1, "eng"))),
                    shared(volume("v", scalar("disk", 1, "eng"))))),
            "is there twice in 'create.volumes'"),
        Arguments.of(
            create(
                list(
                    shared(volume("v", scalar("disk", 1, "eng"))),
                    volume("v", scalar("disk", 1, "eng")))),
            "is there twice in 'create.volumes'"),
        Arguments.of(
            create(list(volume("v", scalar("cpus", 1, "eng")))), "should not be set for cpus"),
        Arguments.of(destroy(list(scalar("disk", 1, "eng"))), "does not have DiskInfo"),
        Arguments.of(
            grow(scalar("disk", 1, "eng"), scalar("disk", 1, "eng")), "does not have DiskInfo"),
        Arguments.of(
            grow(volume("v", scalar("disk", 1, "eng")), scalar("disk", 0, "eng")),
            "in 'grow_volume.addition' must be greater than zero"),
        Arguments.of(
            grow(volume("v", scalar("disk", 1, "eng")), scalar("disk", 1, "ops")),
            "Incompatible resources in the 'volume' and 'addition' fields"),
        Arguments.of(
            grow(volume("v", scalar("disk", 1, "eng")), scalar("mem", 1, "eng")),
            "Incompatible resources in the 'volume' and 'addition' fields"),
        Arguments.of(
            grow(volume("v", scalar("disk", 1, "eng")), onPath(scalar("disk", 1, "eng"))),
            "Incompatible resources in the 'volume' and 'addition' fields"),
        Arguments.of(
            grow(shared(volume("v", scalar("disk", 1, "eng"))), scalar("disk", 1, "eng")),
            "Resizing a shared persistent volume"),
        Arguments.of(
            grow(
                volume("v", scalar("disk", 1, "eng"))
                    .setProviderId(ResourceProviderID.newBuilder().setValue("p")),
                scalar("disk", 1, "eng")),
            "of a resource provider is not supported"),
        Arguments.of(shrink(volume("v", scalar("disk", 1, "eng")), 0), "greater than zero"),
        Arguments.of(shrink(volume("v", scalar("disk", 1, "eng")), -1), "greater than zero"),
        Arguments.of(
            shrink(volume("v", scalar("disk", 1, "eng")), Double.NaN), "greater than zero"),
        Arguments.of(
            shrink(volume("v", scalar("disk", 1, "eng")), 1),
            "smaller than the size of the volume"),
        Arguments.of(shrink(volume("v", onMount(scalar("disk", 9, "eng"))), 1), "on a MOUNT disk"),
        Arguments.of(
            shrink(shared(volume("v", scalar("disk", 9, "eng"))), 1),
            "Resizing a shared persistent volume"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refusesWithTheReason(Operation operation, String reason) {
    assertThatThrownBy(() -> Conversions.of(operation))
        .isInstanceOf(ResourceFormatException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void oneConversionUndoesTheOther() throws Exception {
    Resources total = Resources.of(list(scalar("cpus", 4), scalar("disk", 100)));
    List<Operation> there =
        List.of(
            reserve(list(scalar("disk", 40, "eng"))),
            create(list(volume("v", scalar("disk", 30, "eng")))),
            grow(volume("v", scalar("disk", 30, "eng")), scalar("disk", 10, "eng")));
    List<Operation> back =
        List.of(
            shrink(volume("v", scalar("disk", 40, "eng")), 5),
            destroy(list(volume("v", scalar("disk", 35, "eng")))),
            unreserve(list(scalar("disk", 40, "eng"))));
    List<Operation> all = new ArrayList<>(there);
    all.addAll(back);
    Resources now = total;
    for (Operation operation : all) {
      now = Conversions.of(operation).appliedTo(now);
    }
    assertThat(now).isEqualTo(total);
  }

  @Test
  void knowsWhatOperationsMadeAndOfWhat() throws Exception {
    Resources own =
        Resources.of(
            list(
                scalar("cpus", 4),
                scalar("mem", 5).addReservations(fixed("eng")),
                scalar("disk", 100),
                onMount(scalar("disk", 50))));
    Resources made =
        Resources.of(
            list(
                scalar("cpus", 1, "eng"),
                scalar("cpus", 1, "eng", "eng/web"),
                scalar("mem", 2).addReservations(fixed("eng")).addReservations(dynamic("eng/web")),
                shared(volume("v", scalar("disk", 10, "eng"))),
                volume("m", onMount(scalar("disk", 50, "eng")))));
    assertThat(Conversions.undone(made))
        .isEqualTo(
            Resources.of(
                list(
                    scalar("cpus", 2),
                    scalar("mem", 2).addReservations(fixed("eng")),
                    scalar("disk", 10),
                    onMount(scalar("disk", 50)))));
    Resources total = new Conversion(Conversions.undone(made), made).appliedTo(own);
    assertThat(total.filter(resource -> Conversions.isMade(resource.kind()))).isEqualTo(made);
    assertThat(own.filter(resource -> Conversions.isMade(resource.kind())).isEmpty()).isTrue();
    assertThat(
            Conversions.isMade(
                Resources.of(list(volume("v", scalar("disk", 1).addReservations(fixed("eng")))))
                    .get(0)
                    .kind()))
        .isTrue();
  }

  @Test
  void isAppliedToWhatIsThereOnly() throws Exception {
    Resources total =
        Resources.of(
            list(
                scalar("cpus", 1),
                scalar("disk", 10, "eng"),
                volume("v", scalar("disk", 5, "eng"))));
    assertThatThrownBy(
            () -> Conversions.of(reserve(list(scalar("cpus", 2, "eng")))).appliedTo(total))
        .isInstanceOf(ResourceFormatException.class)
        .hasMessageContaining("does not contain 'cpus:2'");
    assertThatThrownBy(
            () ->
                Conversions.of(destroy(list(volume("w", scalar("disk", 5, "eng")))))
                    .appliedTo(total))
        .isInstanceOf(ResourceFormatException.class)
        .hasMessageContaining("Persistent volumes not found");
    assertThatThrownBy(
            () ->
                Conversions.of(create(list(volume("v", scalar("disk", 1, "eng")))))
                    .appliedTo(total))
        .isInstanceOf(ResourceFormatException.class)
        .hasMessageContaining("Persistence ID 'v' is in use for role 'eng'");
    Conversion allocated =
        Conversions.of(reserve(list(allocated(scalar("cpus", 1, "eng"), "eng"))));
    assertThat(allocated.unallocated().appliedTo(total).reservedTo("eng"))
        .isEqualTo(
            Resources.of(
                list(
                    scalar("cpus", 1, "eng"),
                    scalar("disk", 10, "eng"),
                    volume("v", scalar("disk", 5, "eng")))));
  }
}
