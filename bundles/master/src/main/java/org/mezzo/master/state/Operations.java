package org.mezzo.master.state;

import com.google.protobuf.ByteString;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * The operations that agents have been given and that are not over: whose outcome is not known, or
 * not acknowledged by the framework that gave it an id. Immutable.
 */
public final class Operations {
  /** There are none. */
  public static final Operations EMPTY =
      new Operations(
          HashTreePMap.empty(), HashTreePMap.empty(), HashTreePMap.empty(), OperationCounts.NONE);

  private final PMap<ByteString, Operation> byUuid;
  private final PMap<String, PSet<ByteString>> byAgent;
  private final PMap<String, PSet<ByteString>> byFramework;
  private final OperationCounts counts;

  private Operations(
      PMap<ByteString, Operation> byUuid,
      PMap<String, PSet<ByteString>> byAgent,
      PMap<String, PSet<ByteString>> byFramework,
      OperationCounts counts) {
    this.byUuid = byUuid;
    this.byAgent = byAgent;
    this.byFramework = byFramework;
    this.counts = counts;
  }

  /** How many there are and were; not derived, but kept. */
  public OperationCounts counts() {
    return counts;
  }

  /** All of them. */
  public Collection<Operation> all() {
    return byUuid.values();
  }

  /** The operation of that uuid. */
  public Optional<Operation> get(ByteString uuid) {
    return Optional.ofNullable(byUuid.get(uuid));
  }

  /** Those on an agent. */
  public List<Operation> on(String agentId) {
    return of(byAgent.getOrDefault(agentId, HashTreePSet.empty()));
  }

  /** Those of a framework. */
  public List<Operation> of(String frameworkId) {
    return of(byFramework.getOrDefault(frameworkId, HashTreePSet.empty()));
  }

  /** How many a framework has. */
  public int count(String frameworkId) {
    return byFramework.getOrDefault(frameworkId, HashTreePSet.empty()).size();
  }

  /** That which a framework calls so. */
  public Optional<Operation> of(String frameworkId, String id) {
    return of(frameworkId).stream()
        .filter(operation -> operation.id().filter(id::equals).isPresent())
        .findFirst();
  }

  private List<Operation> of(PSet<ByteString> uuids) {
    return uuids.stream().map(byUuid::get).toList();
  }

  /** With this one added or replaced. */
  public Operations with(Operation operation) {
    return new Operations(
        byUuid.plus(operation.uuid(), operation),
        plus(byAgent, operation.agentId(), operation.uuid()),
        operation.frameworkId().isEmpty()
            ? byFramework
            : plus(byFramework, operation.frameworkId(), operation.uuid()),
        counts.with(byUuid.get(operation.uuid()), operation));
  }

  /** Without this one. */
  public Operations without(Operation operation) {
    return new Operations(
        byUuid.minus(operation.uuid()),
        minus(byAgent, operation.agentId(), operation.uuid()),
        minus(byFramework, operation.frameworkId(), operation.uuid()),
        counts.with(byUuid.get(operation.uuid()), null));
  }

  private static PMap<String, PSet<ByteString>> plus(
      PMap<String, PSet<ByteString>> index, String key, ByteString uuid) {
    return index.plus(key, index.getOrDefault(key, HashTreePSet.empty()).plus(uuid));
  }

  private static PMap<String, PSet<ByteString>> minus(
      PMap<String, PSet<ByteString>> index, String key, ByteString uuid) {
    PSet<ByteString> left = index.getOrDefault(key, HashTreePSet.empty()).minus(uuid);
    return left.isEmpty() ? index.minus(key) : index.plus(key, left);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Operations operations && byUuid.equals(operations.byUuid);
  }

  @Override
  public int hashCode() {
    return byUuid.hashCode();
  }
}
