package org.mezzo.protocol;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.mezzo.protocol.v1.MesosProto;
import org.mezzo.protocol.v1.agent.AgentProto;
import org.mezzo.protocol.v1.allocator.AllocatorProto;
import org.mezzo.protocol.v1.executor.ExecutorProto;
import org.mezzo.protocol.v1.maintenance.MaintenanceProto;
import org.mezzo.protocol.v1.master.MasterProto;
import org.mezzo.protocol.v1.quota.QuotaProto;
import org.mezzo.protocol.v1.resource_provider.ResourceProviderProto;
import org.mezzo.protocol.v1.scheduler.SchedulerProto;

/** The protocol's files and the tables they are measured by. */
public final class Tables {
  /** The nine files of the v1 protocol. */
  public static final List<FileDescriptor> FILES =
      List.of(
          MesosProto.getDescriptor(),
          SchedulerProto.getDescriptor(),
          ExecutorProto.getDescriptor(),
          AgentProto.getDescriptor(),
          MasterProto.getDescriptor(),
          QuotaProto.getDescriptor(),
          MaintenanceProto.getDescriptor(),
          AllocatorProto.getDescriptor(),
          ResourceProviderProto.getDescriptor());

  private Tables() {}

  /** All messages of a file, nested ones and map entries included. */
  public static List<Descriptor> messages(FileDescriptor file) {
    List<Descriptor> all = new ArrayList<>();
    file.getMessageTypes().forEach(each -> collect(each, all));
    return all;
  }

  private static void collect(Descriptor message, List<Descriptor> all) {
    all.add(message);
    message.getNestedTypes().forEach(each -> collect(each, all));
  }

  /** The rows of a table beside this class, without its heading. */
  public static List<String> rows(String resource) {
    List<String> lines = new ArrayList<>(text(resource).lines().toList());
    lines.remove(0);
    return lines;
  }

  /** A resource beside this class. */
  public static String text(String resource) {
    try (InputStream in = Tables.class.getResourceAsStream(resource)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
