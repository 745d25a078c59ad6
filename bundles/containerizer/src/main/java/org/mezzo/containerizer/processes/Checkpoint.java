package org.mezzo.containerizer.processes;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.mezzo.api.isolator.Container;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer.Limitation;
import org.mezzo.containerizer.Termination;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * What is written of one container so that another agent process can go on with it, and the entries
 * of the log that say so.
 *
 * @param enclosure whether it has no process, and only holds others
 * @param isolated whether isolators were asked about it
 * @param held whether its process waits until it is let go
 * @param resized whether isolators may not have been told of its resources as they are now
 * @param states what isolators want kept, by their names, in the order in which they were asked
 * @param end how it ended; empty before
 */
record Checkpoint(
    ContainerId id,
    Container container,
    boolean kept,
    boolean enclosure,
    Lifecycle.State state,
    boolean ran,
    boolean isolated,
    boolean held,
    boolean resized,
    Map<String, byte[]> states,
    Optional<Termination> end) {

  private static final byte DESCRIBED = 1;
  private static final byte STATE = 2;
  private static final byte ISOLATOR = 3;
  private static final byte ENDED = 4;
  private static final byte REMOVED = 5;
  private static final byte RESIZED = 6;

  /** Entries that, read in this order, say all of it. */
  List<byte[]> entries() {
    List<byte[]> all = new ArrayList<>();
    all.add(described(id, container, kept, enclosure));
    states.forEach((isolator, state) -> all.add(isolator(id, isolator, state)));
    all.add(state(id, state, ran, isolated, held));
    if (resized) {
      all.add(resized(id, container));
    }
    end.ifPresent(termination -> all.add(ended(id, termination)));
    return all;
  }

  static byte[] described(ContainerId id, Container container, boolean kept, boolean enclosure) {
    return entry(
        DESCRIBED,
        id,
        out -> {
          text(out, container.sandbox().toString());
          text(out, container.user());
          resources(out, container.resources());
          resources(out, container.limits());
          bytes(out, container.info().map(ContainerInfo::toByteArray).orElse(null));
          out.writeBoolean(kept);
          out.writeBoolean(enclosure);
        });
  }

  static byte[] state(
      ContainerId id, Lifecycle.State state, boolean ran, boolean isolated, boolean held) {
    return entry(
        STATE,
        id,
        out -> {
          text(out, state.name());
          out.writeBoolean(ran);
          out.writeBoolean(isolated);
          out.writeBoolean(held);
        });
  }

  static byte[] isolator(ContainerId id, String isolator, byte[] state) {
    return entry(
        ISOLATOR,
        id,
        out -> {
          text(out, isolator);
          bytes(out, state);
        });
  }

  static byte[] ended(ContainerId id, Termination end) {
    return entry(
        ENDED,
        id,
        out -> {
          out.writeBoolean(end.waitStatus().isPresent());
          out.writeInt(end.waitStatus().orElse(0));
          out.writeBoolean(end.limitation().isPresent());
          if (end.limitation().isPresent()) {
            resources(out, end.limitation().get().resources());
            text(out, end.limitation().get().reason());
            text(out, end.limitation().get().message());
          }
        });
  }

  static byte[] resized(ContainerId id, Container container) {
    return entry(
        RESIZED,
        id,
        out -> {
          resources(out, container.resources());
          resources(out, container.limits());
        });
  }

  static byte[] removed(ContainerId id) {
    return entry(REMOVED, id, out -> {});
  }

  /**
   * Adds what an entry says to what the entries before it said.
   *
   * @throws IOException when it is none
   */
  static void read(byte[] entry, Map<ContainerId, Checkpoint> known) throws IOException {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(entry))) {
      byte kind = in.readByte();
      ContainerId id = ContainerId.parse(text(in));
      Checkpoint before = known.get(id);
      if (kind == DESCRIBED) {
        known.put(id, read(in, id, known));
      } else if (kind == REMOVED) {
        known.remove(id);
      } else if (before != null) {
        known.put(id, before.with(kind, in));
      }
    } catch (RuntimeException e) {
      throw new IOException("An entry of the log of containers is damaged: " + e, e);
    }
  }

  private static Checkpoint read(
      DataInputStream in, ContainerId id, Map<ContainerId, Checkpoint> known) throws IOException {
    Container.Builder container =
        Container.builder(id.path(), Path.of(text(in)))
            .user(text(in))
            .resources(resources(in), resources(in));
    id.parent()
        .filter(outer -> !known.containsKey(outer) || !known.get(outer).enclosure)
        .ifPresent(outer -> container.parent(outer.path()));
    byte[] info = bytes(in);
    if (info != null) {
      container.info(ContainerInfo.parseFrom(info));
    }
    return new Checkpoint(
        id,
        container.build(),
        in.readBoolean(),
        // Earlier versions had none, and wrote nothing of them.
        in.available() > 0 && in.readBoolean(),
        Lifecycle.State.NEW,
        false,
        false,
        false,
        false,
        Map.of(),
        Optional.empty());
  }

  private Checkpoint with(byte kind, DataInputStream in) throws IOException {
    return switch (kind) {
      case STATE ->
          new Checkpoint(
              id,
              container,
              kept,
              enclosure,
              Lifecycle.State.valueOf(text(in)),
              in.readBoolean(),
              in.readBoolean(),
              in.readBoolean(),
              resized,
              states,
              end);
      case ISOLATOR -> {
        Map<String, byte[]> all = new LinkedHashMap<>(states);
        all.put(text(in), bytes(in));
        yield new Checkpoint(
            id, container, kept, enclosure, state, ran, isolated, held, resized, all, end);
      }
      case ENDED ->
          new Checkpoint(
              id,
              container,
              kept,
              enclosure,
              state,
              ran,
              isolated,
              held,
              resized,
              states,
              Optional.of(end(in)));
      case RESIZED ->
          new Checkpoint(
              id,
              container.toBuilder().resources(resources(in), resources(in)).build(),
              kept,
              enclosure,
              state,
              ran,
              isolated,
              held,
              true,
              states,
              end);
      default -> this;
    };
  }

  private static Termination end(DataInputStream in) throws IOException {
    boolean known = in.readBoolean();
    int status = in.readInt();
    return new Termination(
        known ? OptionalInt.of(status) : OptionalInt.empty(),
        in.readBoolean()
            ? Optional.of(new Limitation(resources(in), text(in), text(in)))
            : Optional.empty());
  }

  private interface Writer {
    void write(DataOutputStream out) throws IOException;
  }

  private static byte[] entry(byte kind, ContainerId id, Writer rest) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(kind);
      text(out, id.toString());
      rest.write(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    bytes(out, text.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(DataInputStream in) throws IOException {
    return new String(bytes(in), StandardCharsets.UTF_8);
  }

  private static void bytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes == null ? -1 : bytes.length);
    if (bytes != null) {
      out.write(bytes);
    }
  }

  private static byte[] bytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length > in.available()) {
      throw new IOException("An entry of the log of containers is cut off");
    }
    return length < 0 ? null : in.readNBytes(length);
  }

  private static void resources(DataOutputStream out, Resources resources) throws IOException {
    List<Resource> messages = resources.toMessages(Resources.Format.POST_REFINEMENT);
    out.writeInt(messages.size());
    for (Resource message : messages) {
      bytes(out, message.toByteArray());
    }
  }

  private static Resources resources(DataInputStream in) throws IOException {
    List<Resource> messages = new ArrayList<>();
    for (int count = in.readInt(); count > 0; count--) {
      messages.add(Resource.parseFrom(bytes(in)));
    }
    try {
      return Resources.of(messages);
    } catch (ResourceFormatException e) {
      throw new IOException("Resources in the log of containers are damaged: " + e.getMessage(), e);
    }
  }
}
