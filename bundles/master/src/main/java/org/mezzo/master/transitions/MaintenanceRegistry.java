package org.mezzo.master.transitions;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.coordination.Registry;
import org.mezzo.master.registry.MaintenanceEntry;
import org.mezzo.master.state.Machine;
import org.mezzo.master.state.Maintenance;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MachineID;
import org.pcollections.HashTreePSet;

/** What the registry holds about maintenance (rule 165), in a value that says its version. */
public final class MaintenanceRegistry {
  static final String KEY = "maintenance/schedule";

  private static final byte MARK = 0;
  private static final byte VERSION = 1;

  /** Bytes of the largest value; with its key it can be stored. */
  private static final int MAX_BYTES = Registry.MAX_VALUE_BYTES - 1_000;

  private MaintenanceRegistry() {}

  /** Fills a state with what the registry knows. */
  public static MasterState recover(MasterState begin, Map<String, byte[]> registry)
      throws InvalidProtocolBufferException {
    byte[] value = registry.get(KEY);
    if (value == null || value.length == 0) {
      return begin;
    }
    if (value.length < 2 || value[0] != MARK || value[1] > VERSION) {
      throw new InvalidProtocolBufferException(
          "the registry keeps the maintenance schedule in a form of its own, and this master reads"
              + " forms up to "
              + VERSION
              + "; a newer master has written it");
    }
    MaintenanceEntry entry =
        MaintenanceEntry.parseFrom(ByteBuffer.wrap(value, 2, value.length - 2));
    List<Machine> down = new ArrayList<>();
    entry.getDownList().forEach(id -> down.add(Machine.of(id)));
    return begin.with(Maintenance.of(entry.getSchedule(), HashTreePSet.from(down)));
  }

  static byte[] bytes(Maintenance maintenance) {
    byte[] message = message(maintenance).toByteArray();
    return ByteBuffer.allocate(2 + message.length).put(MARK).put(VERSION).put(message).array();
  }

  /** Why maintenance cannot be stored. */
  static Optional<Refusal> problem(Maintenance maintenance) {
    int bytes = message(maintenance).getSerializedSize();
    return bytes <= MAX_BYTES
        ? Optional.empty()
        : Optional.of(
            Refusal.badRequest(
                "The schedule would take "
                    + bytes
                    + " bytes in the registry, more than "
                    + MAX_BYTES));
  }

  private static MaintenanceEntry message(Maintenance maintenance) {
    MaintenanceEntry.Builder entry =
        MaintenanceEntry.newBuilder().setSchedule(maintenance.schedule());
    maintenance
        .schedule()
        .getWindowsList()
        .forEach(
            window ->
                window.getMachineIdsList().stream()
                    .filter(id -> maintenance.down().contains(Machine.of(id)))
                    .forEach((MachineID id) -> entry.addDown(id)));
    return entry.build();
  }
}
