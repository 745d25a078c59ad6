package org.mezzo.agent;

import com.google.protobuf.ByteString;
import java.util.List;
import org.mezzo.link.messages.ApplyOperation;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Operation;
import org.mezzo.protocol.v1.OperationID;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.OperationStatus;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.ReservationInfo;
import org.mezzo.protocol.v1.UUID;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;

/** Resources that operations make, and operations as a master sends them. */
public final class Made {
  private Made() {}

  /** A scalar that is dynamically reserved for a role, if there is one. */
  public static Resource scalar(String name, double value, String... roles) {
    Resource.Builder resource =
        Resource.newBuilder()
            .setName(name)
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(value));
    for (String role : roles) {
      resource.addReservations(
          ReservationInfo.newBuilder().setType(ReservationInfo.Type.DYNAMIC).setRole(role));
    }
    return resource.build();
  }

  /** A scalar that can be taken back. */
  public static Resource revocable(String name, double value) {
    return scalar(name, value).toBuilder()
        .setRevocable(Resource.RevocableInfo.getDefaultInstance())
        .build();
  }

  /** A volume on the agent's own disk. */
  public static Resource volume(String id, double size, String role, String containerPath) {
    return volume(id, scalar("disk", size, role), containerPath);
  }

  /** A volume of some disk. */
  public static Resource volume(String id, Resource disk, String containerPath) {
    return disk.toBuilder()
        .setDisk(
            disk.getDisk().toBuilder()
                .setPersistence(DiskInfo.Persistence.newBuilder().setId(id))
                .setVolume(
                    Volume.newBuilder().setContainerPath(containerPath).setMode(Volume.Mode.RW)))
        .build();
  }

  /** Disk of a source. */
  public static Resource disk(
      double size, DiskInfo.Source.Type type, String root, String... roles) {
    DiskInfo.Source.Builder source = DiskInfo.Source.newBuilder().setType(type);
    if (type == DiskInfo.Source.Type.PATH) {
      source.setPath(DiskInfo.Source.Path.newBuilder().setRoot(root));
    } else if (type == DiskInfo.Source.Type.MOUNT) {
      source.setMount(DiskInfo.Source.Mount.newBuilder().setRoot(root));
    }
    return scalar("disk", size, roles).toBuilder()
        .setDisk(DiskInfo.newBuilder().setSource(source))
        .build();
  }

  /** The same for one role's task. */
  public static Resource allocated(Resource resource, String role) {
    return resource.toBuilder()
        .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole(role))
        .build();
  }

  public static Offer.Operation reserve(Resource... resources) {
    return Offer.Operation.newBuilder()
        .setType(Offer.Operation.Type.RESERVE)
        .setReserve(Offer.Operation.Reserve.newBuilder().addAllResources(List.of(resources)))
        .build();
  }

  public static Offer.Operation unreserve(Resource... resources) {
    return Offer.Operation.newBuilder()
        .setType(Offer.Operation.Type.UNRESERVE)
        .setUnreserve(Offer.Operation.Unreserve.newBuilder().addAllResources(List.of(resources)))
        .build();
  }

  public static Offer.Operation create(Resource... volumes) {
    return Offer.Operation.newBuilder()
        .setType(Offer.Operation.Type.CREATE)
        .setCreate(Offer.Operation.Create.newBuilder().addAllVolumes(List.of(volumes)))
        .build();
  }

  public static Offer.Operation destroy(Resource... volumes) {
    return Offer.Operation.newBuilder()
        .setType(Offer.Operation.Type.DESTROY)
        .setDestroy(Offer.Operation.Destroy.newBuilder().addAllVolumes(List.of(volumes)))
        .build();
  }

  /** The same with an id, so that its outcome has to be acknowledged. */
  public static Offer.Operation named(Offer.Operation operation, String id) {
    return operation.toBuilder().setId(OperationID.newBuilder().setValue(id)).build();
  }

  /** Sixteen bytes of a name. */
  public static ByteString uuid(String name) {
    return ByteString.copyFromUtf8((name + "________________").substring(0, 16));
  }

  /** As the master sends it for a framework. */
  public static ApplyOperation apply(String uuid, Offer.Operation operation) {
    return ApplyOperation.newBuilder()
        .setOperation(
            Operation.newBuilder()
                .setFrameworkId(FrameworkID.newBuilder().setValue("f-1"))
                .setInfo(operation)
                .setUuid(UUID.newBuilder().setValue(uuid(uuid)))
                .setLatestStatus(
                    OperationStatus.newBuilder().setState(OperationState.OPERATION_PENDING)))
        .build();
  }
}
