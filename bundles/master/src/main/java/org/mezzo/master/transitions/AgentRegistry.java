package org.mezzo.master.transitions;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    List<Registry.Change> changes = new ArrayList<>();
    oldUnreachable.forEach(id -> changes.add(new Registry.Change(UNREACHABLE + id, null)));
    oldGone.forEach(id -> changes.add(new Registry.Change(GONE + id, null)));
    if (changes.isEmpty()) {
      return;
    }
    LOG.info(
        "Forgetting {} unreachable and {} gone agents that are old or too many",
        oldUnreachable.size(),
        oldGone.size());
    tx.store(
        changes,
        later ->
            later.become(
                later
                    .state()
                    .withUnreachableAgents(
                        later.state().unreachableAgents().minusAll(oldUnreachable))
                    .withGoneAgents(later.state().goneAgents().minusAll(oldGone))));
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
