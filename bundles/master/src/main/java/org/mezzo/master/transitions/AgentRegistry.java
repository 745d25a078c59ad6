package org.mezzo.master.transitions;

import static java.lang.Math.min;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.mezzo.coordination.Registry;
import org.mezzo.master.registry.AgentEntry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.TimeInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the registry holds about agents (rules 150, 154, 165). */
public final class AgentRegistry {
  private static final Logger LOG = LoggerFactory.getLogger(AgentRegistry.class);

  /** Sections of the registry. */
  static final String ADMITTED = "agents/";

  static final String UNREACHABLE = "unreachable/";
  static final String GONE = "gone/";

  /** Begins a value that says its version; no value of before that did begins with it. */
  private static final byte MARK = 0;

  private static final byte VERSION = 1;

  /** Bytes of the largest description of an agent; with what goes beside it, it can be stored. */
  static final int MAX_AGENT_BYTES = Registry.MAX_VALUE_BYTES - 1_000;

  /** Agents that one write forgets; the paths of so many of them are far below what it may hold. */
  private static final int FORGOTTEN_AT_ONCE = 256;

  private AgentRegistry() {}

  /** Fills a state with what the registry knows (rules 150, 165). */
  public static MasterState recover(MasterState begin, Map<String, byte[]> registry)
      throws InvalidProtocolBufferException {
    var recovered = begin.recoveredAgents();
    var unreachable = begin.unreachableAgents();
    var gone = begin.goneAgents();
    for (Map.Entry<String, byte[]> entry : registry.entrySet()) {
      String key = entry.getKey();
      if (key.startsWith(ADMITTED)) {
        String id = key.substring(ADMITTED.length());
        AgentEntry agent = admitted(id, entry.getValue());
        recovered = recovered.plus(id, new RecoveredAgent(id, agent.getAgent(), standing(agent)));
      } else if (key.startsWith(UNREACHABLE)) {
        String id = key.substring(UNREACHABLE.length());
        AgentEntry agent = unreachable(id, entry.getValue());
        unreachable =
            unreachable.plus(
                id,
                new UnreachableAgent(
                    id, agent.getAgent(), instant(agent.getSinceNanos()), standing(agent)));
      } else if (key.startsWith(GONE)) {
        String id = key.substring(GONE.length());
        gone = gone.plus(id, instant(gone(id, entry.getValue()).getSinceNanos()));
      }
    }
    return begin
        .withRecoveredAgents(recovered)
        .withUnreachableAgents(unreachable)
        .withGoneAgents(gone);
  }

  /** An admitted agent as it is kept. */
  static byte[] bytes(AgentInfo info, Standing standing) {
    return bytes(entry(standing).setAgent(info));
  }

  /** An agent as it is kept while it is unreachable. */
  static byte[] bytes(AgentInfo info, Instant since, Standing standing) {
    return bytes(entry(standing).setAgent(info).setSinceNanos(nanos(since)));
  }

  /** An agent as it is kept once it is gone. */
  static byte[] goneBytes(Instant since) {
    return bytes(AgentEntry.newBuilder().setSinceNanos(nanos(since)));
  }

  private static AgentEntry.Builder entry(Standing standing) {
    AgentEntry.Builder entry = AgentEntry.newBuilder();
    if (standing.deactivated()) {
      entry.setDeactivated(true);
    }
    standing
        .draining()
        .ifPresent(
            draining ->
                entry.setDrain(draining.info()).setDrainBeganNanos(nanos(draining.began())));
    return entry;
  }

  private static Standing standing(AgentEntry entry) {
    return new Standing(
        entry.getDeactivated(),
        entry.hasDrain()
            ? Optional.of(
                new Standing.Draining(entry.getDrain(), instant(entry.getDrainBeganNanos())))
            : Optional.empty());
  }

  private static byte[] bytes(AgentEntry.Builder entry) {
    byte[] message = entry.build().toByteArray();
    return ByteBuffer.allocate(2 + message.length).put(MARK).put(VERSION).put(message).array();
  }

  private static AgentEntry admitted(String id, byte[] value)
      throws InvalidProtocolBufferException {
    return marked(value)
        ? read(id, value)
        : AgentEntry.newBuilder().setAgent(AgentInfo.parseFrom(value)).build();
  }

  private static AgentEntry unreachable(String id, byte[] value)
      throws InvalidProtocolBufferException {
    if (marked(value)) {
      return read(id, value);
    }
    ByteBuffer bytes = ByteBuffer.wrap(value);
    return AgentEntry.newBuilder()
        .setSinceNanos(bytes.getLong())
        .setAgent(AgentInfo.parseFrom(bytes))
        .build();
  }

  private static AgentEntry gone(String id, byte[] value) throws InvalidProtocolBufferException {
    return marked(value)
        ? read(id, value)
        : AgentEntry.newBuilder().setSinceNanos(TimeInfo.parseFrom(value).getNanoseconds()).build();
  }

  private static boolean marked(byte[] value) {
    return value.length > 1 && value[0] == MARK;
  }

  private static AgentEntry read(String id, byte[] value) throws InvalidProtocolBufferException {
    if (value[1] > VERSION) {
      throw new InvalidProtocolBufferException(
          "the registry keeps agent "
              + id
              + " in form "
              + value[1]
              + " and this master reads forms up to "
              + VERSION
              + "; a newer master has written it");
    }
    return AgentEntry.parseFrom(ByteBuffer.wrap(value, 2, value.length - 2));
  }

  /** Nanoseconds since the epoch. */
  static long nanos(Instant instant) {
    return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(0, nanos);
  }

  /** Forgets unreachable and gone agents that are old, or too many (rule 154). */
  public static void forgetOld(Transition tx, Duration maxAge, int maxCount) {
    Map<String, Instant> unreachable = new HashMap<>();
    tx.state().unreachableAgents().forEach((id, agent) -> unreachable.put(id, agent.since()));
    List<String> oldUnreachable = old(tx, unreachable, maxAge, maxCount);
    List<String> oldGone = old(tx, tx.state().goneAgents(), maxAge, maxCount);
    if (oldUnreachable.isEmpty() && oldGone.isEmpty()) {
      return;
    }
    LOG.info(
        "Forgetting {} unreachable and {} gone agents that are old or too many",
        oldUnreachable.size(),
        oldGone.size());
    forget(
        tx,
        UNREACHABLE,
        oldUnreachable,
        (state, ids) -> state.withUnreachableAgents(state.unreachableAgents().minusAll(ids)));
    forget(
        tx, GONE, oldGone, (state, ids) -> state.withGoneAgents(state.goneAgents().minusAll(ids)));
  }

  /** Each agent may be forgotten by itself, so they are in portions that fit into any write. */
  private static void forget(
      Transition tx,
      String section,
      List<String> all,
      BiFunction<MasterState, List<String>, MasterState> without) {
    for (int from = 0; from < all.size(); from += FORGOTTEN_AT_ONCE) {
      List<String> ids = List.copyOf(all.subList(from, min(all.size(), from + FORGOTTEN_AT_ONCE)));
      List<Registry.Change> changes = new ArrayList<>();
      ids.forEach(id -> changes.add(new Registry.Change(section + id, null)));
      tx.store(
          changes,
          later -> later.become(without.apply(later.state(), ids)),
          (later, reason) ->
              LOG.error(
                  "{} old agents below {} cannot be forgotten now: {}",
                  ids.size(),
                  section,
                  reason));
    }
  }

  private static List<String> old(
      Transition tx, Map<String, Instant> since, Duration maxAge, int maxCount) {
    List<Map.Entry<String, Instant>> byAge = new ArrayList<>(since.entrySet());
    byAge.sort(Map.Entry.comparingByValue());
    Instant oldest = tx.now().minus(maxAge);
    int tooMany = byAge.size() - maxCount;
    List<String> old = new ArrayList<>();
    for (int i = 0; i < byAge.size(); i++) {
      if (i < tooMany || byAge.get(i).getValue().isBefore(oldest)) {
        old.add(byAge.get(i).getKey());
      }
    }
    old.removeIf(tx.state().undecided()::contains);
    return old;
  }
}
