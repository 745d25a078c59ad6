package org.mezzo.benchmarks.loop;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.mezzo.http.HttpHandler;
import org.mezzo.protocol.recordio.RecordFormatException;
import org.mezzo.protocol.recordio.RecordIo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * A framework on the scheduler API of a master in the same process. Events are decoded where the
 * master would write them to a socket; calls are made on the frameworks' threads, one at a time.
 */
final class EmulatedFramework {
  /** What it does with offers. */
  enum Mode {
    HOLD,
    DECLINE,
    LAUNCH,
    ASK
  }

  /** Is told each time how long it took from reviving to offers. */
  interface Asked {
    void offered(long nanos);
  }

  private static final int LARGEST_EVENT = 256 << 20;
  private static final double LONG_REFUSAL_SECONDS = 86_400;

  /** What all frameworks of a benchmark count together. Safe for any thread. */
  static final class Counts {
    final AtomicLong subscribed = new AtomicLong();
    final AtomicLong offers = new AtomicLong();
    final AtomicLong declined = new AtomicLong();
    final AtomicLong launched = new AtomicLong();
    final AtomicLong running = new AtomicLong();
    final AtomicLong reconciled = new AtomicLong();
  }

  private final FrameworkInfo info;
  private final HttpHandler master;
  private final Executor threads;
  private final Counts counts;
  private final ConcurrentLinkedQueue<OfferID> held = new ConcurrentLinkedQueue<>();
  private volatile Mode mode = Mode.HOLD;
  private volatile int tasksPerOffer;
  private final AtomicLong tasksToLaunch = new AtomicLong();
  private volatile String id;
  private volatile String streamId;
  private volatile Asked asked;
  private volatile long askedAt;

  EmulatedFramework(FrameworkInfo info, HttpHandler master, Executor threads, Counts counts) {
    this.info = info;
    this.master = master;
    this.threads = threads;
    this.counts = counts;
  }

  String id() {
    return id;
  }

  /** Subscribes, for the first time or again. */
  void subscribe() {
    Call.Builder call = Call.newBuilder().setType(Call.Type.SUBSCRIBE);
    FrameworkInfo.Builder self =
        call.getSubscribeBuilder().getFrameworkInfoBuilder().mergeFrom(info);
    if (id != null) {
      self.setId(FrameworkID.newBuilder().setValue(id));
      call.setFrameworkId(self.getId());
    }
    RecordIo.Decoder decoder = RecordIo.decoder(LARGEST_EVENT, this::event);
    EmulatedExchange[] exchange = new EmulatedExchange[1];
    exchange[0] =
        new EmulatedExchange(
            Optional.empty(),
            call.build().toByteArray(),
            bytes -> {
              streamId = exchange[0].streamHeaders().get("Mesos-Stream-Id");
              try {
                decoder.feed(ByteBuffer.wrap(bytes));
              } catch (RecordFormatException e) {
                throw new IllegalStateException(e);
              }
            });
    threads.execute(() -> send(exchange[0]));
  }

  private void send(EmulatedExchange exchange) {
    try {
      master.handle(exchange);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    exchange
        .response()
        .thenAccept(
            answer -> {
              if (answer.status() != 202) {
                System.err.println(
                    answer.status() + " " + new String(answer.body(), StandardCharsets.UTF_8));
              }
            });
  }

  private void call(Call.Builder call) {
    byte[] body = call.setFrameworkId(FrameworkID.newBuilder().setValue(id)).build().toByteArray();
    threads.execute(() -> send(new EmulatedExchange(Optional.of(streamId), body, bytes -> {})));
  }

  private void event(byte[] record) {
    Event event;
    try {
      event = Event.parseFrom(record);
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
    switch (event.getType()) {
      case SUBSCRIBED -> {
        id = event.getSubscribed().getFrameworkId().getValue();
        counts.subscribed.incrementAndGet();
      }
      case OFFERS -> offers(event.getOffers().getOffersList());
      case UPDATE -> update(event.getUpdate().getStatus());
      case ERROR -> System.err.println("Framework " + id + ": " + event.getError().getMessage());
      default -> {}
    }
  }

  private void offers(List<Offer> offers) {
    counts.offers.addAndGet(offers.size());
    switch (mode) {
      case HOLD -> offers.forEach(offer -> held.add(offer.getId()));
      case DECLINE -> decline(offers.stream().map(Offer::getId).toList());
      case LAUNCH -> offers.forEach(this::launch);
      case ASK -> {
        asked.offered(System.nanoTime() - askedAt);
        decline(offers.stream().map(Offer::getId).toList());
        askedAt = System.nanoTime();
        call(Call.newBuilder().setType(Call.Type.REVIVE));
      }
      default -> throw new IllegalStateException("Unknown mode " + mode);
    }
  }

  /** From now on offers are kept. */
  void hold() {
    mode = Mode.HOLD;
  }

  /** From now on it declines what it is offered and revives, again and again. */
  void askAgain(Asked listener) {
    asked = listener;
    askedAt = System.nanoTime();
    mode = Mode.ASK;
  }

  /** From now on offers are declined for long; those that are held are, too. */
  void declineAll() {
    mode = Mode.DECLINE;
    List<OfferID> all = new ArrayList<>();
    for (OfferID offer = held.poll(); offer != null; offer = held.poll()) {
      all.add(offer);
    }
    if (!all.isEmpty()) {
      decline(all);
    }
  }

  private void decline(List<OfferID> offers) {
    Call.Builder call = Call.newBuilder().setType(Call.Type.DECLINE);
    call.getDeclineBuilder()
        .addAllOfferIds(offers)
        .getFiltersBuilder()
        .setRefuseSeconds(LONG_REFUSAL_SECONDS);
    call(call);
    counts.declined.addAndGet(offers.size());
  }

  void suppress() {
    call(Call.newBuilder().setType(Call.Type.SUPPRESS));
  }

  /** Launches so many tasks from the offers that come now. */
  void launch(long tasks, int perOffer) {
    tasksPerOffer = perOffer;
    tasksToLaunch.set(tasks);
    mode = Mode.LAUNCH;
    call(Call.newBuilder().setType(Call.Type.REVIVE));
  }

  private void launch(Offer offer) {
    long count = Math.min(tasksPerOffer, tasksToLaunch.get());
    tasksToLaunch.addAndGet(-count);
    if (count == 0) {
      decline(List.of(offer.getId()));
      return;
    }
    Call.Builder call = Call.newBuilder().setType(Call.Type.ACCEPT);
    var operation =
        call.getAcceptBuilder()
            .addOfferIds(offer.getId())
            .addOperationsBuilder()
            .setType(Offer.Operation.Type.LAUNCH)
            .getLaunchBuilder();
    for (int i = 0; i < count; i++) {
      operation.addTaskInfos(
          TaskInfo.newBuilder()
              .setName("task")
              .setTaskId(TaskID.newBuilder().setValue("task-" + counts.launched.incrementAndGet()))
              .setAgentId(offer.getAgentId())
              .addResources(scalar("cpus", 0.1))
              .addResources(scalar("mem", 32))
              .setCommand(CommandInfo.newBuilder().setValue("sleep 3600")));
    }
    call.getAcceptBuilder().getFiltersBuilder().setRefuseSeconds(LONG_REFUSAL_SECONDS);
    call(call);
  }

  private static Resource scalar(String name, double value) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value))
        .build();
  }

  private void update(TaskStatus status) {
    if (status.getReason() == TaskStatus.Reason.REASON_RECONCILIATION) {
      counts.reconciled.incrementAndGet();
      return;
    }
    if (status.getState() == TaskState.TASK_RUNNING) {
      counts.running.incrementAndGet();
    } else if (status.getState() == TaskState.TASK_ERROR) {
      System.err.println("A task was refused: " + status.getMessage());
    }
    if (!status.getUuid().isEmpty()) {
      Call.Builder call = Call.newBuilder().setType(Call.Type.ACKNOWLEDGE);
      call.getAcknowledgeBuilder()
          .setAgentId(status.getAgentId())
          .setTaskId(status.getTaskId())
          .setUuid(status.getUuid());
      call(call);
    }
  }

  /** Asks for the states of all its tasks. */
  void reconcile() {
    call(
        Call.newBuilder()
            .setType(Call.Type.RECONCILE)
            .setReconcile(Call.Reconcile.getDefaultInstance()));
  }

  void tearDown() {
    call(Call.newBuilder().setType(Call.Type.TEARDOWN));
  }
}
