package org.mezzo.master.transitions;

import static java.lang.Math.min;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
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
        recovered =
            recovered.plus(id, new RecoveredAgent(id, AgentInfo.parseFrom(entry.getValue())));
      } else if (key.startsWith(UNREACHABLE)) {
        String id = key.substring(UNREACHABLE.length());
        ByteBuffer bytes = ByteBuffer.wrap(entry.getValue());
        Instant since = instant(bytes.getLong());
        unreachable =
            unreachable.plus(id, new UnreachableAgent(id, AgentInfo.parseFrom(bytes), since));
      } else if (key.startsWith(GONE)) {
        gone =
            gone.plus(
                key.substring(GONE.length()),
                instant(TimeInfo.parseFrom(entry.getValue()).getNanoseconds()));
      }
    }
    return begin
        .withRecoveredAgents(recovered)
        .withUnreachableAgents(unreachable)
        .withGoneAgents(gone);
  }

  /** An agent as it is kept while it is unreachable. */
  static byte[] unreachableBytes(AgentInfo info, Instant since) {
    ByteString agent = info.toByteString();
    return ByteBuffer.allocate(8 + agent.size())
        .putLong(nanos(since))
        .put(agent.asReadOnlyByteBuffer())
        .array();
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
