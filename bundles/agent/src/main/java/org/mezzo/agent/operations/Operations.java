package org.mezzo.agent.operations;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.mezzo.agent.checkpoint.Damage;
import org.mezzo.agent.checkpoint.ResourceCheckpoint;
import org.mezzo.agent.checkpoint.ResourceCheckpoint.Kept;
import org.mezzo.agent.updates.UpdateStreams;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.files.FileFailure;
import org.mezzo.link.messages.AcknowledgeOperation;
import org.mezzo.link.messages.ApplyOperation;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.ReconcileOperations;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Operation;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.OperationStatus;
import org.mezzo.resources.Conversion;
import org.mezzo.resources.Conversions;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's resources and the operations that change them (rules 298 to 314): one after the
 * other, each kept on disk with its outcome before the outcome is told, and told until it is
 * acknowledged if the operation has an id. For the event loop only, unless said otherwise.
 */
public final class Operations {
  private static final Logger LOG = LoggerFactory.getLogger(Operations.class);

  /**
   * How many outcomes that nobody acknowledges are remembered, for a master that asks again because
   * its link broke. More cannot be on their way at once but by one who asks for that.
   */
  private static final int MOST_REMEMBERED = 256;

  /**
   * What operations have to do with.
   *
   * @param loop where everything here is called
   * @param worker where files are written
   * @param timers runs something on the loop later
   * @param checkpoint where outcomes are kept
   * @param damage what is done where these cannot be read
   * @param keepsWhatFits whether made resources that the agent has not any more are given up, each
   *     by its name, rather than refuse the start ({@code --reconfiguration_policy=any})
   * @param volumes whose directories are made and deleted
   * @param sender takes updates to the master; one that it loses and somebody waits for is repeated
   */
  public record Surroundings(
      Executor loop,
      Executor worker,
      BiFunction<Duration, Runnable, Timer> timers,
      ResourceCheckpoint checkpoint,
      Damage damage,
      boolean keepsWhatFits,
      VolumeStore volumes,
      Consumer<OperationUpdate> sender) {}

  private final Surroundings around;
  private final UpdateStreams<ByteString, OperationUpdate> updates;
  private final String version;

  /** What waits for its turn: operations, and launches that came after them. */
  private final Deque<Runnable> queue = new ArrayDeque<>();

  /** By uuid, decided ones in the order of their decision. */
  private final Map<ByteString, Operation> known = new LinkedHashMap<>();

  private final AtomicInteger remembered = new AtomicInteger();
  private final AtomicInteger queued = new AtomicInteger();
  private final Metrics.Counter forgotten;
  private final boolean whole;
  private volatile Resources total;
  private Supplier<Resources> inUse = () -> Resources.EMPTY;
  private BooleanSupplier draining = () -> false;
  private Runnable idleListener = () -> {};
  private AgentID agent = AgentID.getDefaultInstance();
  private boolean busy;

  /** Whether the file lacks something that was acknowledged since. */
  private boolean stale;

  /**
   * Takes over what an earlier process kept, and what it left undone of destroyed volumes. Blocks.
   *
   * @param own what the agent is started with
   * @param version how the total of this process is called (rule 157)
   * @throws IOException when what is kept cannot be read, or is not among the own resources any
   *     more (rule 305); says what to do
   */
  public Operations(Surroundings around, Resources own, String version, Metrics metrics)
      throws IOException {
    this.around = around;
    this.version = version;
    Kept kept = around.checkpoint().load(around.damage());
    whole = kept.whole();
    total = around.keepsWhatFits() ? withFitting(own, kept.made()) : withMade(own, kept.made());
    if (whole) {
      // Also of those that are given up: their data is nobody's to delete.
      around.volumes().recover(total.plus(kept.made().minus(made(total))));
    }
    updates =
        new UpdateStreams<>(
            around.timers(),
            update -> update.getStatus().getUuid().getValue(),
            (uuid, first, last) -> around.sender().accept(first));
    metrics.gauge("slave/mezzo/operations_queue_length", queued::get);
    metrics.gauge("slave/mezzo/operations_unacknowledged", updates::pending);
    metrics.gauge("slave/mezzo/operations_remembered", remembered::get);
    forgotten = metrics.counter("slave/mezzo/operations_forgotten");
    kept.operations().forEach(this::remember);
  }

  private Resources withMade(Resources own, Resources made) throws IOException {
    if (made.isEmpty()) {
      return own;
    }
    try {
      return new Conversion(Conversions.undone(made), made).appliedTo(own);
    } catch (ResourceFormatException e) {
      throw new IOException(
          "Incompatible agent resources: reservations and volumes that were made at run time do not"
              + " fit into what the agent has now: "
              + e.getMessage()
              + ". Start it with --resources that hold them, as before, or with"
              + " --reconfiguration_policy=any to give up those that do not fit; data of volumes"
              + " stays in its directories",
          e);
    }
  }

  /** Those of the made resources that still fit; the others are named and given up. */
  private Resources withFitting(Resources own, Resources made) throws IOException {
    Resources fitting = own;
    Resources left = Resources.EMPTY;
    // Volumes first: more is lost with them.
    Resources volumes = made.persistentVolumes();
    List<Resource> inOrder = new ArrayList<>();
    volumes.forEach(inOrder::add);
    made.minus(volumes).forEach(inOrder::add);
    for (Resource one : inOrder) {
      try {
        fitting = withMade(fitting, Resources.of(one));
      } catch (IOException e) {
        left = left.plus(Resources.of(one));
        LOG.debug("{} does not fit any more", one, e);
      }
    }
    if (!left.isEmpty()) {
      LOG.error(
          "Reservations and volumes that do not fit into what the agent has now are given up: {}."
              + " Data of volumes stays in its directories, and what was on record is in {}",
          left,
          around.checkpoint().copyAside());
    }
    return fitting;
  }

  /** Whether all that was on record of resources could be read. */
  public boolean whole() {
    return whole;
  }

  /**
   * Who is asked and told.
   *
   * @param used volumes of tasks that may still run
   * @param drains whether no operation is carried out
   * @param idle told whenever nothing is on its way any more
   */
  public void connect(Supplier<Resources> used, BooleanSupplier drains, Runnable idle) {
    inUse = used;
    draining = drains;
    idleListener = idle;
  }

  /** Everything the agent has, as operations made it. Safe for any thread. */
  public Resources total() {
    return total;
  }

  /** What the agent is registered as; one with a new id owes nobody the outcomes of the old one. */
  public void agent(AgentID id) {
    if (!agent.equals(AgentID.getDefaultInstance()) && !agent.equals(id)) {
      forgetAll();
    }
    agent = id;
  }

  /** Forgets all outcomes, because the agent that they were decided on is no more. */
  public void forgetAll() {
    if (known.values().removeIf(operation -> !isPending(operation))) {
      updates.remove(uuid -> true);
      remembered.set(0);
      stale = true;
      next();
    }
  }

  // Carrying out.

  /** Carries an operation out once all before it are; answers again what was done before. */
  public void apply(ApplyOperation message) {
    ByteString uuid = message.getOperation().getUuid().getValue();
    if (uuid.isEmpty()) {
      LOG.error("Ignored an operation without uuid, of which nobody could be told");
      return;
    }
    Operation before = known.get(uuid);
    if (before == null) {
      known.put(uuid, message.getOperation().toBuilder().setLatestStatus(pending(message)).build());
      enqueue(() -> begin(message));
    } else if (!isPending(before)) {
      answer(before);
    }
  }

  private OperationStatus pending(ApplyOperation message) {
    return status(message, OperationState.OPERATION_PENDING).build();
  }

  private OperationStatus.Builder status(ApplyOperation message, OperationState state) {
    OperationStatus.Builder status = OperationStatus.newBuilder().setState(state);
    if (message.getOperation().getInfo().hasId()) {
      status.setOperationId(message.getOperation().getInfo().getId());
    }
    if (!agent.equals(AgentID.getDefaultInstance())) {
      status.setAgentId(agent);
    }
    return status;
  }

  private static boolean isPending(Operation operation) {
    return operation.getLatestStatus().getState() == OperationState.OPERATION_PENDING;
  }

  /** What is to become of an operation. */
  private record Decision(
      ApplyOperation message,
      OperationState state,
      String reason,
      Optional<Conversion> conversion,
      Resources after) {}

  private void enqueue(Runnable step) {
    queue.add(step);
    queued.set(queue.size());
    next();
  }

  /** Goes on with what is in line, unless something is being done. */
  private void next() {
    while (!busy && !queue.isEmpty()) {
      Runnable step = queue.remove();
      queued.set(queue.size());
      step.run();
    }
    if (!busy && stale) {
      stale = false;
      begin(new Kept(made(total), decidedWith(null)));
    }
    if (idle()) {
      idleListener.run();
    }
  }

  /** Does something on the worker, and then on the loop what it answers. */
  private void begin(Supplier<Runnable> work) {
    busy = true;
    try {
      around.worker().execute(() -> around.loop().execute(work.get()));
    } catch (RejectedExecutionException e) {
      LOG.warn("The agent stops; operations that wait are not carried out");
    }
  }

  private void begin(ApplyOperation message) {
    Decision decision = decide(message);
    Operation decided = decided(decision);
    List<Operation> all = decidedWith(decided);
    begin(() -> carryOut(decision, decided, all));
  }

  /** Writes down what nobody waits for. */
  private void begin(Kept kept) {
    begin(
        () -> {
          try {
            around.checkpoint().store(kept, version);
          } catch (IOException | RuntimeException e) {
            LOG.warn(
                "Cannot write {}; after a restart acknowledged operations are told of again",
                around.checkpoint().file(),
                e);
          }
          return this::goOn;
        });
  }

  private void goOn() {
    busy = false;
    next();
  }

  private Decision decide(ApplyOperation message) {
    if (message.hasResourceVersionUuid()
        && !message.getResourceVersionUuid().isEmpty()
        && !message.getResourceVersionUuid().equals(version)) {
      return refused(
          message,
          OperationState.OPERATION_DROPPED,
          "The agent's resources have changed since the operation was accepted");
    }
    if (draining.getAsBoolean()) {
      return refused(message, OperationState.OPERATION_DROPPED, "The agent is draining");
    }
    try {
      Conversion conversion = Conversions.of(message.getOperation().getInfo()).unallocated();
      if (message.getOperation().getInfo().getType() == Offer.Operation.Type.DESTROY) {
        Resources used = inUse.get();
        Resources wanted = conversion.consumed();
        Resources both = wanted.filter(volume -> used.contains(Resources.of(volume)));
        if (!both.isEmpty()) {
          return refused(
              message, OperationState.OPERATION_ERROR, "Persistent volumes in use: " + both);
        }
      }
      return new Decision(
          message,
          OperationState.OPERATION_FINISHED,
          "",
          Optional.of(conversion),
          conversion.appliedTo(total));
    } catch (ResourceFormatException e) {
      return refused(message, OperationState.OPERATION_ERROR, e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("Deciding on an operation failed", e);
      return refused(message, OperationState.OPERATION_ERROR, e.toString());
    }
  }

  private Decision refused(ApplyOperation message, OperationState state, String reason) {
    return new Decision(message, state, reason, Optional.empty(), total);
  }

  private Operation decided(Decision decision) {
    Operation operation = decision.message().getOperation();
    OperationStatus.Builder status = status(decision.message(), decision.state());
    if (!decision.reason().isEmpty()) {
      status.setMessage(decision.reason());
    }
    decision
        .conversion()
        .ifPresent(
            conversion ->
                status.addAllConvertedResources(
                    conversion.converted().toMessages(Resources.Format.POST_REFINEMENT)));
    Operation.Builder decided = operation.toBuilder();
    if (operation.getInfo().hasId()) {
      status.setUuid(org.mezzo.protocol.v1.UUID.newBuilder().setValue(randomUuid()));
    } else {
      // Enough to answer by, should the master ask again.
      decided.setInfo(Offer.Operation.newBuilder().setType(operation.getInfo().getType()));
    }
    return decided.setLatestStatus(status).clearStatuses().addStatuses(status).build();
  }

  private static ByteString randomUuid() {
    UUID uuid = UUID.randomUUID();
    ByteBuffer bytes = ByteBuffer.allocate(16);
    bytes.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits()).flip();
    return ByteString.copyFrom(bytes);
  }

  /** Those to keep, without those that are only in line. */
  private List<Operation> decidedWith(Operation fresh) {
    List<Operation> all = new ArrayList<>();
    for (Operation operation : known.values()) {
      if (!isPending(operation)) {
        all.add(operation);
      }
    }
    if (fresh != null) {
      all.add(fresh);
    }
    return all;
  }

  private static Resources made(Resources total) {
    return total.filter(resource -> Conversions.isMade(resource.kind()));
  }

  /** On the worker: makes directories, writes the outcome down, and only then lets data go. */
  private Runnable carryOut(Decision decision, Operation decided, List<Operation> all) {
    VolumeStore.Change change;
    try {
      change = changeVolumes(decision);
    } catch (IOException | RuntimeException e) {
      String reason = e instanceof IOException io ? FileFailure.reason(io) : e.toString();
      return () -> failed(decision, OperationState.OPERATION_ERROR, reason);
    }
    try {
      around.checkpoint().store(new Kept(made(decision.after()), all), version);
    } catch (IOException | RuntimeException e) {
      change.undo();
      LOG.error("Cannot write {}", around.checkpoint().file(), e);
      String reason = e instanceof IOException io ? FileFailure.reason(io) : e.toString();
      return () ->
          done(
              decided(
                  refused(
                      decision.message(),
                      OperationState.OPERATION_DROPPED,
                      "The agent cannot keep what comes of it: " + reason)),
              total);
    }
    change.settle();
    return () -> done(decided, decision.after());
  }

  private VolumeStore.Change changeVolumes(Decision decision) throws IOException {
    Offer.Operation info = decision.message().getOperation().getInfo();
    if (decision.conversion().isPresent()) {
      Conversion conversion = decision.conversion().get();
      if (info.getType() == Offer.Operation.Type.CREATE) {
        return around.volumes().create(conversion.converted());
      }
      if (info.getType() == Offer.Operation.Type.DESTROY) {
        ByteString uuid = decision.message().getOperation().getUuid().getValue();
        return around
            .volumes()
            .destroy(conversion.consumed(), HexFormat.of().formatHex(uuid.toByteArray()));
      }
      if (info.getType() == Offer.Operation.Type.GROW_VOLUME
          || info.getType() == Offer.Operation.Type.SHRINK_VOLUME) {
        for (Resource volume : conversion.consumed().persistentVolumes()) {
          Optional<String> obstacle = around.volumes().obstacle(volume);
          if (obstacle.isPresent()) {
            throw new IOException(obstacle.get());
          }
        }
      }
    }
    return new VolumeStore.Change() {
      @Override
      public void settle() {
        // Nothing was done.
      }

      @Override
      public void undo() {
        // Nothing was done.
      }
    };
  }

  /** The outcome is another one than was thought; that is kept in its turn. */
  private void failed(Decision decision, OperationState state, String reason) {
    Decision other = refused(decision.message(), state, reason);
    Operation decided = decided(other);
    List<Operation> all = decidedWith(decided);
    begin(() -> carryOut(other, decided, all));
  }

  private void done(Operation decided, Resources after) {
    total = after;
    remember(decided);
    OperationStatus status = decided.getLatestStatus();
    LOG.info(
        "{} {}: {} {}",
        decided.getInfo().getType(),
        HexFormat.of().formatHex(decided.getUuid().getValue().toByteArray()),
        status.getState(),
        status.getMessage());
    if (!status.hasUuid()) {
      answer(decided);
    }
    goOn();
  }

  /** Remembers a decided operation; one with a status that must be acknowledged is told of. */
  private void remember(Operation operation) {
    ByteString uuid = operation.getUuid().getValue();
    // Behind all that were decided before.
    known.remove(uuid);
    known.put(uuid, operation);
    if (operation.getLatestStatus().hasUuid()) {
      updates.add(uuid, update(operation));
      return;
    }
    if (remembered.incrementAndGet() > MOST_REMEMBERED) {
      for (Operation oldest : known.values()) {
        if (!isPending(oldest) && !oldest.getLatestStatus().hasUuid()) {
          known.remove(oldest.getUuid().getValue());
          remembered.decrementAndGet();
          forgotten.increment();
          break;
        }
      }
    }
  }

  // Telling.

  private static OperationUpdate update(Operation operation) {
    OperationUpdate.Builder update =
        OperationUpdate.newBuilder()
            .setOperationUuid(operation.getUuid().getValue())
            .setStatus(operation.getLatestStatus());
    if (operation.hasFrameworkId()) {
      update.setFrameworkId(operation.getFrameworkId());
    }
    return update.build();
  }

  private void answer(Operation decided) {
    if (decided.getLatestStatus().hasUuid()) {
      updates.resend(decided.getUuid().getValue()::equals);
    } else {
      around.sender().accept(update(decided));
    }
  }

  /** The master is there: tells all that is not acknowledged at once. */
  public void resume() {
    updates.resume();
    next();
  }

  /** There is no master. */
  public void pause() {
    updates.pause();
  }

  /** Somebody has the outcome of an operation, which is forgotten. */
  public void acknowledge(AcknowledgeOperation message) {
    ByteString uuid = message.getOperationUuid();
    if (updates.acknowledge(uuid, message.getStatusUuid()).isEmpty()) {
      LOG.debug("Ignored an acknowledgement of an operation: it is not for the pending update");
      return;
    }
    updates.remove(uuid::equals);
    known.remove(uuid);
    stale = true;
    next();
  }

  /** Answers with the last status of each; those in line are answered when they are decided. */
  public void reconcile(ReconcileOperations message) {
    for (ByteString uuid : message.getOperationUuidsList()) {
      Operation operation = known.get(uuid);
      if (operation == null) {
        OperationStatus.Builder status =
            OperationStatus.newBuilder()
                .setState(OperationState.OPERATION_DROPPED)
                .setMessage("Reconciliation: operation unknown to the agent");
        if (!agent.equals(AgentID.getDefaultInstance())) {
          status.setAgentId(agent);
        }
        around
            .sender()
            .accept(OperationUpdate.newBuilder().setOperationUuid(uuid).setStatus(status).build());
      } else if (!isPending(operation)) {
        answer(operation);
      }
    }
  }

  /** Operations that are not decided, or whose outcome must still be acknowledged. */
  public List<Operation> open() {
    return known.values().stream()
        .filter(operation -> isPending(operation) || operation.getLatestStatus().hasUuid())
        .toList();
  }

  /** Whether nothing is to be done or acknowledged. */
  public boolean idle() {
    return !busy && queue.isEmpty() && updates.pending() == 0;
  }

  // Waiting.

  /** Runs something once all operations that came before are decided; at once if they are. */
  public void whenSettled(Runnable task) {
    if (!busy && queue.isEmpty()) {
      task.run();
    } else {
      enqueue(task);
    }
  }
}
