package org.mezzo.agent.recovery;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiFunction;
import org.mezzo.agent.recovery.messages.BootEntry;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.FrameworkEntry;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.agent.recovery.messages.UpdateEntry;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.files.log.RecordLog;
import org.mezzo.files.log.RecordLog.Change;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps on disk what a later process of this agent needs to go on with its work, of frameworks that
 * want it ({@code checkpoint}, rule 176). What is given together is written together, in the order
 * in which it came. For the event loop only; stages complete there.
 */
public final class Journal implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
  private static final String BOOT = "boot";
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final CompletionStage<Void> KEPT = CompletableFuture.completedStage(null);

  /** Everything that was kept. Immutable. */
  public record Kept(
      List<FrameworkEntry> frameworks,
      List<ExecutorEntry> executors,
      List<TaskEntry> tasks,
      List<UpdateEntry> updates) {}

  private final RecordLog log;
  private final Executor keeper;
  private final Executor loop;
  private final BiFunction<Duration, Runnable, Timer> timers;
  private final Metrics.Counter errors;

  /** What the log holds or will. */
  private final NavigableMap<String, MessageLite> live = new TreeMap<>();

  /** Keys of updates by their uuid, within a task's prefix. */
  private final Map<String, Map<ByteString, String>> updates = new HashMap<>();

  /** What is not on disk yet; null deletes. */
  private Map<String, byte[]> pending = new TreeMap<>();

  private List<CompletableFuture<Void>> waiting = new ArrayList<>();
  private boolean planned;
  private boolean writing;
  private boolean failing;

  /** Of what could not be written. */
  private Timer retry = () -> {};

  private long number;
  private volatile int entries;

  private Journal(
      RecordLog log,
      Executor keeper,
      Executor loop,
      BiFunction<Duration, Runnable, Timer> timers,
      Metrics metrics) {
    this.log = log;
    this.keeper = keeper;
    this.loop = loop;
    this.timers = timers;
    errors = metrics.counter("slave/journal_errors");
  }

  /**
   * Opens the journal of a work directory, whose agent must be alone in it.
   *
   * @param keeper writes to the disk, one after the other
   * @param timers runs something on the loop later
   * @throws IOException when it cannot be read; nothing was changed then
   */
  public static Journal open(
      Path workDir,
      Executor keeper,
      Executor loop,
      BiFunction<Duration, Runnable, Timer> timers,
      Metrics metrics)
      throws IOException {
    Path folder = workDir.resolve("meta").resolve("journal");
    RecordLog log =
        RecordLog.open(
            "Journal",
            "bring a copy of it back, or remove "
                + folder
                + " to start without the tasks that ran here, which end then",
            folder);
    Journal journal = new Journal(log, keeper, loop, timers, metrics);
    try {
      journal.read();
    } catch (InvalidProtocolBufferException e) {
      log.close();
      throw new IOException(
          "Journal " + folder + " holds what this version of Mezzo cannot read: " + e, e);
    }
    metrics.gauge("slave/journal_entries", () -> journal.entries);
    return journal;
  }

  private void read() throws InvalidProtocolBufferException {
    for (Map.Entry<String, byte[]> entry : log.contents().entrySet()) {
      String key = entry.getKey();
      byte[] value = entry.getValue();
      switch (key.charAt(0)) {
        case 'f' -> live.put(key, FrameworkEntry.parseFrom(value));
        case 'e' -> live.put(key, ExecutorEntry.parseFrom(value));
        case 't' -> live.put(key, TaskEntry.parseFrom(value));
        case 'b' -> live.put(key, BootEntry.parseFrom(value));
        case 'u' -> {
          UpdateEntry update = UpdateEntry.parseFrom(value);
          live.put(key, update);
          known(key, update);
          number =
              Math.max(number, Long.parseLong(key.substring(key.lastIndexOf('/') + 1), 16) + 1);
        }
        default -> LOG.warn("Journal keeps '{}', which this version does not know", key);
      }
    }
  }

  /** What was kept, updates of a task in their order. For any framework that it names. */
  public Kept kept() {
    return new Kept(
        all(FrameworkEntry.class),
        all(ExecutorEntry.class),
        all(TaskEntry.class),
        all(UpdateEntry.class));
  }

  private <T> List<T> all(Class<T> type) {
    return live.values().stream().filter(type::isInstance).map(type::cast).toList();
  }

  /**
   * Notes the boot of the machine during which this is written.
   *
   * @return whether what is kept was written during the same one; true when nothing is kept
   */
  public boolean sameBoot(String bootId) {
    MessageLite before = live.get(BOOT);
    BootEntry now = BootEntry.newBuilder().setBootId(bootId).build();
    if (!now.equals(before)) {
      put(BOOT, now);
      flush();
    }
    return before == null || now.equals(before);
  }

  // Keeping.

  /** Whether anything of a framework is kept: it wants that, and has something here. */
  public boolean keeps(FrameworkID framework) {
    return live.containsKey(key("f", framework.getValue()));
  }

  /** The framework, as it is now; of one that does not want it nothing is kept. */
  public void framework(FrameworkInfo framework) {
    String key = key("f", framework.getId().getValue());
    FrameworkEntry entry = FrameworkEntry.newBuilder().setFramework(framework).build();
    if (framework.getCheckpoint() && !entry.equals(live.get(key))) {
      put(key, entry);
      flush();
    }
  }

  /** The framework has nothing here any more, but for updates that are still to be told. */
  public void release(FrameworkID framework) {
    for (String kind : List.of("e", "t", "u")) {
      String prefix = key(kind, framework.getValue()) + "/";
      String next = live.ceilingKey(prefix);
      if (next != null && next.startsWith(prefix)) {
        return;
      }
    }
    forget(framework);
  }

  /** Nothing of the framework is to be kept any more. */
  public void forget(FrameworkID framework) {
    remove(key("f", framework.getValue()));
    for (String kind : List.of("e", "t", "u")) {
      String prefix = key(kind, framework.getValue()) + "/";
      for (String key : List.copyOf(live.tailMap(prefix).keySet())) {
        if (!key.startsWith(prefix)) {
          break;
        }
        remove(key);
      }
    }
    flush();
  }

  /** Forgets everything: this is a new agent. */
  public void clear() {
    new TreeSet<>(live.keySet()).stream().filter(key -> !key.equals(BOOT)).forEach(this::remove);
    flush();
  }

  /**
   * An executor, as it is now.
   *
   * @return complete when it is on disk, or need not be; exceptionally when that is not possible
   *     now
   */
  public CompletionStage<Void> executor(ExecutorEntry executor) {
    if (!keeps(executor.getFrameworkId())) {
      return KEPT;
    }
    put(executorKey(executor.getFrameworkId(), executor.getExecutor().getExecutorId()), executor);
    return flush();
  }

  /** An executor is gone. */
  public void forget(FrameworkID framework, ExecutorID executor) {
    remove(executorKey(framework, executor));
    flush();
  }

  private static String executorKey(FrameworkID framework, ExecutorID executor) {
    return key("e", framework.getValue(), executor.getValue());
  }

  /**
   * A task, as it is now.
   *
   * @return as of {@link #executor}
   */
  public CompletionStage<Void> task(TaskEntry task) {
    if (!keeps(task.getFrameworkId())) {
      return KEPT;
    }
    put(taskKey(task.getFrameworkId(), task.getInfo().getTaskId()), task);
    return flush();
  }

  /** The end of a task was acknowledged, or nobody waits for it. */
  public void forget(FrameworkID framework, TaskID task) {
    remove(taskKey(framework, task));
    String prefix = updatePrefix(framework, task);
    Map<ByteString, String> left = updates.remove(prefix);
    if (left != null) {
      List.copyOf(left.values()).forEach(this::remove);
    }
    flush();
  }

  private static String taskKey(FrameworkID framework, TaskID task) {
    return key("t", framework.getValue(), task.getValue());
  }

  /**
   * An update that is to be told.
   *
   * @return as of {@link #executor}
   */
  public CompletionStage<Void> update(FrameworkID framework, TaskStatus status) {
    if (!keeps(framework)) {
      return KEPT;
    }
    String key = updatePrefix(framework, status.getTaskId()) + String.format("%016x", number++);
    UpdateEntry update =
        UpdateEntry.newBuilder().setFrameworkId(framework).setStatus(status).build();
    put(key, update);
    known(key, update);
    return flush();
  }

  /**
   * The update was acknowledged.
   *
   * @return as of {@link #executor}
   */
  public CompletionStage<Void> acknowledged(FrameworkID framework, TaskID task, ByteString uuid) {
    String prefix = updatePrefix(framework, task);
    Map<ByteString, String> keys = updates.get(prefix);
    String key = keys == null ? null : keys.remove(uuid);
    if (key == null) {
      return KEPT;
    }
    if (keys.isEmpty()) {
      updates.remove(prefix);
    }
    remove(key);
    return flush();
  }

  private void known(String key, UpdateEntry update) {
    updates
        .computeIfAbsent(key.substring(0, key.lastIndexOf('/') + 1), unused -> new HashMap<>())
        .put(update.getStatus().getUuid(), key);
  }

  private static String updatePrefix(FrameworkID framework, TaskID task) {
    return key("u", framework.getValue(), task.getValue()) + "/";
  }

  private static String key(String kind, String... ids) {
    StringBuilder key = new StringBuilder(kind);
    for (String id : ids) {
      key.append('/').append(URLEncoder.encode(id, StandardCharsets.UTF_8));
    }
    return key.toString();
  }

  // Writing.

  private void put(String key, MessageLite value) {
    live.put(key, value);
    pending.put(key, value.toByteArray());
    entries = live.size();
  }

  private void remove(String key) {
    if (live.remove(key) != null) {
      pending.put(key, null);
      entries = live.size();
    }
  }

  /** Has everything that waits written; complete as of {@link #executor}. */
  public CompletionStage<Void> flush() {
    CompletableFuture<Void> written = new CompletableFuture<>();
    waiting.add(written);
    if (!planned) {
      planned = true;
      // After this turn of the loop, so that what belongs together is one write.
      loop.execute(
          () -> {
            planned = false;
            write();
          });
    }
    return written;
  }

  private void write() {
    if (writing || failing || waiting.isEmpty() && pending.isEmpty()) {
      return;
    }
    writing = true;
    Map<String, byte[]> changes = pending;
    List<CompletableFuture<Void>> told = waiting;
    pending = new TreeMap<>();
    waiting = new ArrayList<>();
    try {
      keeper.execute(() -> store(changes, told));
    } catch (RejectedExecutionException e) {
      written(changes, told, new IOException("The agent is stopping", e));
    }
  }

  private void store(Map<String, byte[]> changes, List<CompletableFuture<Void>> told) {
    IOException failure = null;
    try {
      log.store(batch(changes));
    } catch (IOException e) {
      failure = e;
    }
    IOException outcome = failure;
    loop.execute(() -> written(changes, told, outcome));
  }

  private void written(
      Map<String, byte[]> changes, List<CompletableFuture<Void>> told, IOException failure) {
    writing = false;
    if (failure == null) {
      told.forEach(each -> each.complete(null));
      write();
      return;
    }
    errors.increment();
    LOG.error(
        "What runs here cannot be kept on disk, so that a restart of this agent would lose it; it"
            + " is tried again every {} s: {}",
        RETRY.toSeconds(),
        failure.toString());
    // What has come meanwhile is newer.
    Map<String, byte[]> newer = pending;
    pending = changes;
    pending.putAll(newer);
    told.forEach(each -> each.completeExceptionally(failure));
    List<CompletableFuture<Void>> also = waiting;
    waiting = new ArrayList<>();
    also.forEach(each -> each.completeExceptionally(failure));
    failing = true;
    retry =
        timers.apply(
            RETRY,
            () -> {
              failing = false;
              write();
            });
  }

  /** Writes nothing more. When the keeper does not run any more. */
  @Override
  public void close() {
    retry.cancel();
    log.close();
  }

  private static List<Change> batch(Map<String, byte[]> changes) {
    List<Change> batch = new ArrayList<>();
    changes.forEach((key, value) -> batch.add(new Change(key, value)));
    return batch;
  }
}
