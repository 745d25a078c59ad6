package org.mezzo.agent.recovery;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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
import org.mezzo.agent.checkpoint.Damage;
import org.mezzo.agent.recovery.messages.BootEntry;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.FrameworkEntry;
import org.mezzo.agent.recovery.messages.PastExecutorEntry;
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
  private static final String WITHOUT =
      "tasks of which nothing can be read end, and their frameworks are told that they are not"
          + " here";
  private static final CompletionStage<Void> KEPT = CompletableFuture.completedStage(null);

  /**
   * Everything that was kept. Immutable.
   *
   * @param past frameworks that had something here, with executors of before
   * @param pastExecutors that have ended and of which everything is told, the newest last
   */
  public record Kept(
      List<FrameworkEntry> frameworks,
      List<ExecutorEntry> executors,
      List<TaskEntry> tasks,
      List<UpdateEntry> updates,
      List<FrameworkEntry> past,
      List<PastExecutorEntry> pastExecutors) {
    /** Nothing. */
    public static final Kept NOTHING =
        new Kept(List.of(), List.of(), List.of(), List.of(), List.of(), List.of());
  }

  private final RecordLog log;
  private final Executor keeper;
  private final Executor loop;
  private final BiFunction<Duration, Runnable, Timer> timers;
  private final Metrics.Counter errors;

  /** What the log holds or will. */
  private final NavigableMap<String, MessageLite> live = new TreeMap<>();

  /** Keys of updates by their uuid, within a task's prefix. */
  private final Map<String, Map<ByteString, String>> updates = new HashMap<>();

  /** Keys of executors of the past by their framework's key, the oldest first. */
  private final Map<String, Deque<String>> past = new HashMap<>();

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
   * @param damage what is done where it is damaged
   * @throws IOException when it cannot be read; nothing was changed then
   */
  public static Journal open(
      Path workDir,
      Executor keeper,
      Executor loop,
      BiFunction<Duration, Runnable, Timer> timers,
      Metrics metrics,
      Damage damage)
      throws IOException {
    Path folder = workDir.resolve("meta").resolve("journal");
    RecordLog log = open(folder, damage);
    try {
      Journal journal = new Journal(log, keeper, loop, timers, metrics);
      journal.read(folder, damage);
      metrics.gauge("slave/journal_entries", () -> journal.entries);
      return journal;
    } catch (IOException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  private static RecordLog open(Path folder, Damage damage) throws IOException {
    if (damage.strict()) {
      return RecordLog.open("Journal", Damage.remedy(WITHOUT), folder);
    }
    Path aside = damage.asideOf(folder.resolve("log"));
    RecordLog.Salvaged salvaged = RecordLog.salvage("Journal", folder, aside);
    if (!salvaged.lost().isEmpty()) {
      damage.told(
          "Journal "
              + folder.resolve("log")
              + " is damaged and set aside as "
              + aside
              + ". It could not be read: "
              + String.join(", ", salvaged.lost())
              + "; "
              + WITHOUT);
    }
    return salvaged.log();
  }

  private void read(Path folder, Damage damage) throws IOException {
    Map<String, String> unreadable = new TreeMap<>();
    for (Map.Entry<String, byte[]> entry : log.contents().entrySet()) {
      try {
        read(entry.getKey(), entry.getValue());
      } catch (InvalidProtocolBufferException | RuntimeException e) {
        unreadable.put(entry.getKey(), e.getMessage());
      }
    }
    if (!damage.strict()) {
      orphans(unreadable);
    }
    if (unreadable.isEmpty()) {
      entries = live.size();
      return;
    }
    if (damage.strict()) {
      throw new IOException(
          "Journal "
              + folder
              + " holds what this version of Mezzo cannot read: "
              + unreadable
              + "; start the version that wrote it, or "
              + Damage.remedy(WITHOUT));
    }
    Path aside = damage.asideOf(folder.resolve("log"));
    Files.copy(folder.resolve("log"), aside);
    log.store(unreadable.keySet().stream().map(key -> new Change(key, null)).toList());
    damage.told(
        "Journal "
            + folder
            + " holds what this version of Mezzo cannot read, a copy is "
            + aside
            + ": "
            + unreadable
            + "; "
            + WITHOUT);
    entries = live.size();
  }

  /** What belongs to something that is not there any more is of no use without it. */
  private void orphans(Map<String, String> found) {
    for (Map.Entry<String, MessageLite> entry : List.copyOf(live.entrySet())) {
      String missing =
          entry.getValue() instanceof ExecutorEntry executor
              ? key("f", executor.getFrameworkId().getValue())
              : entry.getValue() instanceof TaskEntry task
                  ? executorKey(task.getFrameworkId(), task.getExecutorId())
                  : entry.getKey();
      // Executors come before tasks, in the order of keys.
      if (!live.containsKey(missing)) {
        found.put(entry.getKey(), missing + " is missing");
        live.remove(entry.getKey());
      }
    }
  }

  private void read(String key, byte[] value) throws InvalidProtocolBufferException {
    switch (key.charAt(0)) {
      case 'f' -> live.put(key, FrameworkEntry.parseFrom(value));
      case 'e' -> live.put(key, ExecutorEntry.parseFrom(value));
      case 't' -> live.put(key, TaskEntry.parseFrom(value));
      case 'b' -> live.put(key, BootEntry.parseFrom(value));
      case 'u' -> {
        UpdateEntry update = UpdateEntry.parseFrom(value);
        number = Math.max(number, numberOf(key) + 1);
        live.put(key, update);
        known(key, update);
      }
      case 'p' -> {
        FrameworkEntry.parseFrom(value);
        past.computeIfAbsent(key, unused -> new ArrayDeque<>());
      }
      case 'h' -> {
        PastExecutorEntry.parseFrom(value);
        number = Math.max(number, numberOf(key) + 1);
        past.computeIfAbsent(
                "p" + key.substring(1, key.lastIndexOf('/')), unused -> new ArrayDeque<>())
            .add(key);
      }
      default -> LOG.warn("Journal keeps '{}', which this version does not know", key);
    }
  }

  private static long numberOf(String key) {
    return Long.parseLong(key.substring(key.lastIndexOf('/') + 1), 16);
  }

  /**
   * What was kept, updates of a task in their order. Of the past what is on disk, of which no more
   * than the keys stays in memory.
   */
  public Kept kept() {
    Map<String, byte[]> contents = log.contents();
    List<FrameworkEntry> pastFrameworks = new ArrayList<>();
    Map<Long, PastExecutorEntry> pastExecutors = new TreeMap<>();
    past.forEach(
        (framework, executors) -> {
          try {
            byte[] info = contents.get(framework);
            if (info == null) {
              return;
            }
            pastFrameworks.add(FrameworkEntry.parseFrom(info));
            for (String key : executors) {
              byte[] executor = contents.get(key);
              if (executor != null) {
                pastExecutors.put(numberOf(key), PastExecutorEntry.parseFrom(executor));
              }
            }
          } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("It could be read before", e);
          }
        });
    return new Kept(
        all(FrameworkEntry.class),
        all(ExecutorEntry.class),
        all(TaskEntry.class),
        all(UpdateEntry.class),
        List.copyOf(pastFrameworks),
        List.copyOf(pastExecutors.values()));
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
    new TreeSet<>(past.keySet()).forEach(this::removePast);
    flush();
  }

  // The past.

  /**
   * An executor has ended, and everything is told of it: it is kept to be looked at, of a framework
   * that wants that.
   *
   * @param most how many of the framework are kept, the newest ones
   */
  public void ended(FrameworkInfo framework, PastExecutorEntry executor, int most) {
    if (!framework.getCheckpoint() || most <= 0) {
      return;
    }
    String key = key("p", framework.getId().getValue());
    pending.put(key, FrameworkEntry.newBuilder().setFramework(framework).build().toByteArray());
    Deque<String> executors = past.computeIfAbsent(key, unused -> new ArrayDeque<>());
    String last = key("h", framework.getId().getValue()) + "/" + String.format("%016x", number++);
    executors.add(last);
    pending.put(last, executor.toByteArray());
    while (executors.size() > most) {
      pending.put(executors.remove(), null);
    }
    flush();
  }

  /** Nothing of the framework's past is to be looked at any more. */
  public void forgetPast(FrameworkID framework) {
    removePast(key("p", framework.getValue()));
    flush();
  }

  private void removePast(String key) {
    Deque<String> executors = past.remove(key);
    if (executors != null) {
      pending.put(key, null);
      executors.forEach(executor -> pending.put(executor, null));
    }
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
