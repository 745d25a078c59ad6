package org.mezzo.master.rollouts;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.mezzo.coordination.Registry;
import org.mezzo.master.registry.ModuleEntry;
import org.mezzo.master.registry.ModuleGeneration;
import org.mezzo.master.registry.ModulesEntry;
import org.mezzo.master.registry.RolloutEntry;

/** How the registry keeps what is wanted: in one value that says its version. */
final class ModulesRegistry {
  static final String KEY = "modules/wanted";

  private static final byte MARK = 0;

  /** What every master reads that knows of wanted modules. */
  private static final byte VERSION = 1;

  /** Bundles may be for masters; who does not know that would bring them to agents. */
  private static final byte WITH_ROLES = 2;

  /** Bytes of the largest value; with its key it can be stored. */
  private static final int MAX_BYTES = Registry.MAX_VALUE_BYTES - 1_000;

  private ModulesRegistry() {}

  /**
   * What is wanted by what the registry holds.
   *
   * @throws InvalidProtocolBufferException when a newer master has written it in another form
   */
  static DesiredModules read(Map<String, byte[]> registry) throws InvalidProtocolBufferException {
    byte[] value = registry.get(KEY);
    if (value == null) {
      return DesiredModules.NONE;
    }
    ModulesEntry entry = ModulesEntry.parseFrom(content(value, "the wanted modules"));
    return new DesiredModules(
        generation(entry.getCurrent()),
        entry.hasPrevious() ? Optional.of(generation(entry.getPrevious())) : Optional.empty(),
        entry.hasRollout() ? Optional.of(rollout(entry.getRollout())) : Optional.empty(),
        entry.getLastNumber());
  }

  /** What is behind the version of a value. */
  static ByteBuffer content(byte[] value, String what) throws InvalidProtocolBufferException {
    if (value.length < 2 || value[0] != MARK || value[1] > WITH_ROLES) {
      throw new InvalidProtocolBufferException(
          "the registry keeps "
              + what
              + " in a form of its own, and this master reads forms up to "
              + WITH_ROLES
              + "; a newer master has written it");
    }
    return ByteBuffer.wrap(value, 2, value.length - 2);
  }

  static byte[] bytes(MessageLite message) {
    return bytes(VERSION, message);
  }

  private static byte[] bytes(byte version, MessageLite message) {
    byte[] bytes = message.toByteArray();
    return ByteBuffer.allocate(2 + bytes.length).put(MARK).put(version).put(bytes).array();
  }

  /** The change that keeps what is wanted. */
  static Registry.Change change(DesiredModules wanted) {
    return new Registry.Change(
        KEY, bytes(hasRoles(wanted) ? WITH_ROLES : VERSION, message(wanted)));
  }

  private static boolean hasRoles(DesiredModules wanted) {
    return Stream.of(
            Optional.of(wanted.current()), wanted.previous(), wanted.rollout().map(Rollout::to))
        .flatMap(Optional::stream)
        .flatMap(generation -> generation.modules().stream())
        .anyMatch(bundle -> bundle.selector().daemons() != Selector.Daemons.AGENT);
  }

  /** Why something cannot be kept; empty when it can. */
  static Optional<String> problem(DesiredModules wanted) {
    int bytes = message(wanted).getSerializedSize();
    return bytes <= MAX_BYTES
        ? Optional.empty()
        : Optional.of(
            "What is wanted of modules would take "
                + bytes
                + " bytes in the registry, more than "
                + MAX_BYTES);
  }

  private static ModulesEntry message(DesiredModules wanted) {
    ModulesEntry.Builder entry =
        ModulesEntry.newBuilder()
            .setCurrent(message(wanted.current()))
            .setLastNumber(wanted.lastNumber());
    wanted.previous().ifPresent(it -> entry.setPrevious(message(it)));
    wanted.rollout().ifPresent(it -> entry.setRollout(message(it)));
    return entry.build();
  }

  private static ModuleGeneration message(Generation generation) {
    ModuleGeneration.Builder message =
        ModuleGeneration.newBuilder()
            .setNumber(generation.number())
            .setWho(generation.who())
            .setWhenNanos(nanos(generation.when()));
    for (WantedBundle bundle : generation.modules()) {
      ModuleEntry.Builder module =
          ModuleEntry.newBuilder()
              .setSymbolicName(bundle.symbolicName())
              .setVersion(bundle.version())
              .setSha256(bundle.sha256())
              .setSize(bundle.size())
              .putAllAttributes(bundle.selector().attributes());
      bundle.selector().region().ifPresent(module::setRegion);
      if (bundle.selector().daemons() != Selector.Daemons.AGENT) {
        module.setDaemons(bundle.selector().daemons().name());
      }
      message.addModules(module);
    }
    return message.build();
  }

  private static Generation generation(ModuleGeneration message)
      throws InvalidProtocolBufferException {
    List<WantedBundle> modules = new ArrayList<>();
    for (ModuleEntry entry : message.getModulesList()) {
      modules.add(
          new WantedBundle(
              entry.getSymbolicName(),
              entry.getVersion(),
              entry.getSha256(),
              entry.getSize(),
              new Selector(
                  daemons(entry),
                  entry.getAttributesMap(),
                  entry.hasRegion() ? Optional.of(entry.getRegion()) : Optional.empty())));
    }
    return new Generation(
        message.getNumber(), modules, message.getWho(), instant(message.getWhenNanos()));
  }

  private static Selector.Daemons daemons(ModuleEntry entry) throws InvalidProtocolBufferException {
    if (!entry.hasDaemons()) {
      return Selector.Daemons.AGENT;
    }
    try {
      return Selector.Daemons.valueOf(entry.getDaemons());
    } catch (IllegalArgumentException e) {
      throw new InvalidProtocolBufferException(
          "the registry says of a module that it is for "
              + entry.getDaemons()
              + ", which this master does not know; a newer one has written it");
    }
  }

  private static RolloutEntry message(Rollout rollout) {
    RolloutEntry.Builder message =
        RolloutEntry.newBuilder()
            .setTo(message(rollout.to()))
            .setBatch(rollout.pace().batch())
            .setPauseMillis(rollout.pace().pause().toMillis())
            .setPatienceMillis(rollout.pace().patience().toMillis())
            .setMoreFailures(rollout.pace().moreFailures())
            .setState(rollout.state().name())
            .setReason(rollout.reason())
            .addAllTouched(rollout.touched())
            .setInBatch(rollout.inBatch())
            .setSinceNanos(nanos(rollout.since()));
    rollout.settled().ifPresent(it -> message.setSettledNanos(nanos(it)));
    return message.build();
  }

  private static Rollout rollout(RolloutEntry message) throws InvalidProtocolBufferException {
    Rollout.State state;
    try {
      state = Rollout.State.valueOf(message.getState());
    } catch (IllegalArgumentException e) {
      throw new InvalidProtocolBufferException(
          "the registry says of a rollout that it is "
              + message.getState()
              + ", which this master does not know; a newer one has written it");
    }
    return new Rollout(
        generation(message.getTo()),
        new Rollout.Pace(
            message.getBatch(),
            Duration.ofMillis(message.getPauseMillis()),
            Duration.ofMillis(message.getPatienceMillis()),
            message.hasMoreFailures() ? message.getMoreFailures() : Rollout.Pace.MORE_FAILURES),
        state,
        message.getReason(),
        message.getTouchedList(),
        message.getInBatch(),
        instant(message.getSinceNanos()),
        message.hasSettledNanos()
            ? Optional.of(instant(message.getSettledNanos()))
            : Optional.empty());
  }

  private static long nanos(Instant instant) {
    return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(0, nanos);
  }
}
