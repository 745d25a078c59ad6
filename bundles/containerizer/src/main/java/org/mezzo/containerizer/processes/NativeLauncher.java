package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.isolator.CgroupWatch.News;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Feature;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.protocol.v1.CommandInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The launcher of {@code bundles/native}: a spawner that outlives this agent process, and that the
 * next one speaks with. One thread hears it, one tells it; when it is gone another is started,
 * which goes on with its shims.
 */
final class NativeLauncher implements Launcher {
  private static final Logger LOG = LoggerFactory.getLogger(NativeLauncher.class);
  private static final int SIGKILL = 9;
  private static final int SIGTERM = 15;
  private static final int PIDS_PER_REQUEST = 10_000;
  private static final int MOST_AT_ONCE = 1 << 20;
  private static final long RETRY_SECONDS = 1;
  private static final byte[] END = {};
  private static final int AWAITED = 2;
  private static final int READ_ONLY = 1;
  private static final int AS_USER = 2;
  private static final int FIXES_RIGHTS = 4;
  private static final int MOST_MOUNTS = 1024;
  private static final ContainerIo.Window UNKNOWN = new ContainerIo.Window(0, 0);

  private final Path runtime;
  private final Path binary;
  private final Path shell;
  private final Listener listener;
  private final LinkedBlockingQueue<byte[]> requests = new LinkedBlockingQueue<>();
  private final Map<Integer, String> launches = new ConcurrentHashMap<>();

  /** Memory cgroups that are to be watched, and whether they are. */
  private final Map<Path, Boolean> watches = new ConcurrentHashMap<>();

  /** Which of them a request is about that is not answered yet. */
  private final Map<Integer, Path> watching = new ConcurrentHashMap<>();

  // Of the thread that hears.
  private boolean watchRefused;

  private final AtomicInteger numbers = new AtomicInteger();
  private final Thread writer;
  private final Optional<String> mountObstacle;
  private volatile Optional<SpawnerConnection> connection;
  private volatile boolean closed;

  /**
   * Connects with the spawner of the runtime directory, or starts it.
   *
   * @param binary the program of the launcher
   * @param shell what runs shell commands
   */
  NativeLauncher(Path runtime, Path binary, Path shell, Listener listener) throws IOException {
    this.runtime = runtime;
    this.binary = binary;
    this.shell = shell;
    this.listener = listener;
    mountObstacle = mountObstacle(binary);
    connection = Optional.of(SpawnerConnection.open(runtime, binary));
    start(this::hear, "containers-" + runtime.getFileName());
    writer = start(this::tell, "launches-" + runtime.getFileName());
  }

  private static Thread start(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    thread.start();
    return thread;
  }

  @Override
  public Set<Feature> features() {
    Set<Feature> features = EnumSet.of(Feature.ENVIRONMENT, Feature.RLIMITS, Feature.TTY);
    if (mountObstacle.isEmpty()) {
      features.addAll(Set.of(Feature.NAMESPACES, Feature.MOUNTS));
    }
    return features;
  }

  @Override
  public Optional<String> mountObstacle() {
    return mountObstacle;
  }

  private static Optional<String> mountObstacle(Path binary) throws IOException {
    Process test =
        new ProcessBuilder(binary.toString(), "mount-test")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    test.getOutputStream().close();
    String said = new String(test.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      return test.waitFor() == 0
          ? Optional.empty()
          : Optional.of(
              "the launcher cannot make mount namespaces here ("
                  + said
                  + "), which root with the capability CAP_SYS_ADMIN can");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while looking whether there can be mounts", e);
    }
  }

  @Override
  public Set<Stream> streams() {
    return EnumSet.allOf(Stream.class);
  }

  @Override
  public boolean entersNetworks() {
    return true;
  }

  @Override
  public void launch(Start start) throws LaunchException, IOException {
    int number = numbers.incrementAndGet();
    NativeFrames.Writer plan =
        NativeFrames.write(NativeFrames.LAUNCH, number)
            .text(NativeFrames.CONTAINER, start.key())
            .text(NativeFrames.FOLDER, start.folder().toAbsolutePath().toString())
            .text(NativeFrames.DIRECTORY, start.sandbox().toAbsolutePath().toString());
    streams(plan, start.io(), start.logs());
    command(plan, start.command());
    environment(plan, start.environment());
    if (start.account().isPresent()) {
      Accounts.Account account = start.account().get();
      List<Long> ids = new ArrayList<>(List.of(account.uid(), account.gid()));
      ids.addAll(account.groups());
      plan.text(NativeFrames.FEATURE, "user").numbers(NativeFrames.USER, ids);
    }
    for (Map.Entry<String, LaunchPlan.Rlimit> limit : start.plan().rlimits().entrySet()) {
      plan.text(NativeFrames.FEATURE, "rlimits");
      plan.bytes(NativeFrames.RLIMIT, limit(limit.getKey(), limit.getValue()));
    }
    if (start.cgroup().isPresent()) {
      plan.text(NativeFrames.FEATURE, "cgroups");
      plan.text(NativeFrames.CGROUP, start.cgroup().get().resolve("cgroup.procs").toString());
    }
    if (start.network().isPresent()) {
      ShimProcess in = start.network().get();
      plan.text(NativeFrames.FEATURE, "network")
          .bytes(
              NativeFrames.NETWORK,
              ByteBuffer.allocate(12).putInt((int) in.pid()).putLong(in.startTime()).array());
    }
    mounting(plan, start.mounting());
    if (start.held()) {
      plan.text(NativeFrames.FEATURE, "hold").number(NativeFrames.HOLD, 1);
    }
    byte[] frame = plan.frame();
    if (frame.length - 4 > NativeFrames.MOST) {
      throw new LaunchException(
          "The command and its environment have "
              + frame.length
              + " bytes; the launcher takes "
              + NativeFrames.MOST);
    }
    if (closed) {
      throw new IOException("The agent is stopping");
    }
    launches.put(number, start.key());
    request(frame);
  }

  private static void mounting(NativeFrames.Writer plan, Mounting mounting) throws LaunchException {
    if (mounting.isNone()) {
      return;
    }
    plan.text(NativeFrames.FEATURE, "mount-namespaces");
    if (mounting.in().isPresent()) {
      plan.bytes(NativeFrames.NAMESPACE, namespace(mounting.in().get()));
    }
    if (mounting.own()) {
      plan.bytes(NativeFrames.NAMESPACE, namespace(new ShimProcess(0, 0, 0, 0)));
    }
    for (Mounting.Mount mount : mounting.mounts()) {
      String texts = mount.source() + "\0" + mount.target() + "\0" + mount.below();
      byte[] bytes = texts.getBytes(StandardCharsets.UTF_8);
      int flags =
          (mount.readOnly() ? READ_ONLY : 0)
              | (mount.asUser() ? AS_USER : 0)
              | (mount.fixesRights() ? FIXES_RIGHTS : 0);
      plan.text(NativeFrames.FEATURE, "mounts")
          .bytes(
              NativeFrames.MOUNT,
              ByteBuffer.allocate(4 + bytes.length).putInt(flags).put(bytes).array());
    }
    if (mounting.mounts().size() > MOST_MOUNTS) {
      throw new LaunchException(
          "The container asks for "
              + mounting.mounts().size()
              + " mounts; the launcher makes up to "
              + MOST_MOUNTS);
    }
  }

  private static byte[] namespace(ShimProcess of) {
    byte[] kind = "mount".getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(12 + kind.length)
        .putInt((int) of.pid())
        .putLong(of.startTime())
        .put(kind)
        .array();
  }

  private static void streams(NativeFrames.Writer plan, ContainerIo io, LogPlan logs) {
    if (io.attachable()) {
      plan.text(NativeFrames.FEATURE, "attach")
          .number(NativeFrames.REACH, io.reach() == ContainerIo.Reach.AWAITED ? AWAITED : 1);
    }
    if (io.terminal().isPresent()) {
      ContainerIo.Window window = io.terminal().get().window().orElse(UNKNOWN);
      plan.text(NativeFrames.FEATURE, "terminal")
          .numbers(NativeFrames.WINDOW, List.of((long) window.rows(), (long) window.columns()));
    }
    if (io.keeping() == ContainerIo.Keeping.NOTHING) {
      return;
    }
    if (logs.rotates()) {
      plan.text(NativeFrames.FEATURE, "rotation");
    }
    plan.text(NativeFrames.OUTPUT, output(io));
    logs.output().ifPresent(it -> plan.bytes(NativeFrames.ROTATION, rotation(1, it)));
    if (io.terminal().isEmpty()) {
      plan.text(NativeFrames.ERRORS, "stderr");
      logs.errors().ifPresent(it -> plan.bytes(NativeFrames.ROTATION, rotation(2, it)));
    }
    logs.outputHelper().ifPresent(it -> helper(plan, 1, it));
    if (io.terminal().isEmpty()) {
      logs.errorsHelper().ifPresent(it -> helper(plan, 2, it));
    }
  }

  private static void helper(NativeFrames.Writer plan, int stream, LogPlan.Helper helper) {
    String program = helper.program().toString();
    plan.text(NativeFrames.FEATURE, Stream.OUTPUT_HELPER.word())
        .inner(
            NativeFrames.HELPER,
            stream,
            fields -> {
              fields.text(NativeFrames.PROGRAM, program).text(NativeFrames.ARGUMENT, program);
              helper.arguments().forEach(it -> fields.text(NativeFrames.ARGUMENT, it));
              helper.environment().entrySet().stream()
                  // By that one what is killed with a container is known, which it is not.
                  .filter(it -> !it.getKey().equals(LaunchPipeline.MARKER))
                  .forEach(
                      it -> fields.text(NativeFrames.VARIABLE, it.getKey() + "=" + it.getValue()));
            });
  }

  private static String output(ContainerIo io) {
    return io.keeping() == ContainerIo.Keeping.ERRORS ? "stderr" : "stdout";
  }

  private static byte[] rotation(int stream, LogPlan.Rotation rotation) {
    return ByteBuffer.allocate(16)
        .putInt(stream)
        .putInt(rotation.older())
        .putLong(rotation.bytes())
        .array();
  }

  private void command(NativeFrames.Writer plan, CommandInfo command) throws LaunchException {
    if (command.getShell()) {
      plan.text(NativeFrames.PROGRAM, shell.toString());
      plan.text(NativeFrames.ARGUMENT, shell.toString());
      plan.text(NativeFrames.ARGUMENT, "-c");
      plan.text(NativeFrames.ARGUMENT, plain(command.getValue()));
      return;
    }
    if (command.getValue().isEmpty()) {
      throw new LaunchException("The command has neither a shell command nor a program to run");
    }
    plan.text(NativeFrames.PROGRAM, plain(command.getValue()));
    if (command.getArgumentsCount() == 0) {
      plan.text(NativeFrames.ARGUMENT, command.getValue());
    }
    for (String argument : command.getArgumentsList()) {
      plan.text(NativeFrames.ARGUMENT, plain(argument));
    }
  }

  private static void environment(NativeFrames.Writer plan, Map<String, String> environment)
      throws LaunchException {
    for (Map.Entry<String, String> variable : new TreeMap<>(environment).entrySet()) {
      String name = variable.getKey();
      if (name.isEmpty() || name.indexOf('=') >= 0) {
        throw new LaunchException("'" + name + "' cannot name an environment variable");
      }
      plan.text(NativeFrames.VARIABLE, plain(name + "=" + variable.getValue()));
    }
  }

  private static String plain(String text) throws LaunchException {
    if (text.indexOf('\0') >= 0) {
      throw new LaunchException(
          "A command, argument or environment variable contains a NUL character; remove it");
    }
    return text;
  }

  private static byte[] limit(String name, LaunchPlan.Rlimit limit) throws LaunchException {
    Rlimits.check(name);
    byte[] text = name.getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(16 + text.length)
        .putLong(unlimited(limit.soft()))
        .putLong(unlimited(limit.hard()))
        .put(text)
        .array();
  }

  private static long unlimited(OptionalLong value) {
    return value.orElse(-1);
  }

  @Override
  public void release(Path folder) throws IOException {
    Path fifo = folder.resolve("go");
    if (Files.exists(fifo)) {
      // Of a shim that the shell has made, for an agent process before this one.
      try (RandomAccessFile go = new RandomAccessFile(fifo.toFile(), "rw")) {
        go.write("go\n".getBytes(StandardCharsets.US_ASCII));
      }
      return;
    }
    request(
        NativeFrames.write(NativeFrames.RELEASE, numbers.incrementAndGet())
            .text(
                NativeFrames.CONTAINER, runtime.resolve("containers").relativize(folder).toString())
            .frame());
  }

  @Override
  public void signal(int signal, Collection<Long> pids) {
    List<Long> others = new ArrayList<>();
    for (long pid : pids) {
      if (signal == SIGKILL) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      } else if (signal == SIGTERM) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
      } else {
        others.add(pid);
      }
    }
    for (int from = 0; from < others.size(); from += PIDS_PER_REQUEST) {
      request(
          NativeFrames.write(NativeFrames.KILL, numbers.incrementAndGet())
              .number(NativeFrames.SIGNAL, signal)
              .numbers(
                  NativeFrames.PIDS,
                  others.subList(from, Math.min(others.size(), from + PIDS_PER_REQUEST)))
              .frame());
    }
  }

  @Override
  public void watchMemory(Path cgroup) {
    if (Boolean.TRUE.equals(watches.putIfAbsent(cgroup, false))) {
      listener.memory(cgroup, News.BEGUN);
    } else {
      watch(cgroup);
    }
  }

  private void watch(Path cgroup) {
    int number = numbers.incrementAndGet();
    watching.put(number, cgroup);
    request(
        NativeFrames.write(NativeFrames.WATCH, number)
            .text(NativeFrames.PATH, cgroup.toString())
            .frame());
  }

  @Override
  public void unwatchMemory(Path cgroup) {
    watches.remove(cgroup);
  }

  /** Nobody listens to the kernel until there is another spawner. */
  private void watchesLost() {
    watches.keySet().forEach(each -> told(each, false));
  }

  /** Whether a cgroup is watched now. */
  private void told(Path cgroup, boolean begun) {
    if (watches.replace(cgroup, begun) != null) {
      listener.memory(cgroup, begun ? News.BEGUN : News.ENDED);
    }
  }

  private void refused(Path cgroup, String why) {
    // A container may have ended meanwhile; and what is so for one is mostly so for all.
    if (!watchRefused && watches.containsKey(cgroup) && Files.isDirectory(cgroup)) {
      watchRefused = true;
      LOG.warn(
          "The kernel cannot be listened to for the memory of {}, which is looked at instead, as"
              + " are others from now on of which that is so: {}",
          cgroup,
          why);
    }
  }

  private void request(byte[] frame) {
    requests.add(frame);
  }

  /** Writes requests, those that wait together at once. */
  private void tell() {
    ByteBuffer together = ByteBuffer.allocate(MOST_AT_ONCE);
    try {
      for (; ; ) {
        byte[] next = requests.take();
        if (next == END) {
          connection.ifPresent(SpawnerConnection::close);
          return;
        }
        Optional<SpawnerConnection> to = connection;
        if (to.isEmpty()) {
          // Whoever lost the connection says what that means for launches.
          continue;
        }
        together.clear();
        if (next.length <= together.remaining()) {
          together.put(next);
          for (byte[] more = requests.peek();
              more != null && more != END && more.length <= together.remaining();
              more = requests.peek()) {
            together.put(requests.remove());
          }
        }
        try {
          to.get().write(together.position() > 0 ? together.flip() : ByteBuffer.wrap(next));
        } catch (IOException e) {
          // The other thread sees it, too, and connects again.
          LOG.debug("Writing to the launcher", e);
          to.get().close();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Reads what the spawner says. */
  private void hear() {
    SpawnerConnection from = connection.orElseThrow();
    while (!closed) {
      try {
        report(from.read());
        continue;
      } catch (IOException e) {
        if (closed) {
          break;
        }
        LOG.error("The launcher was lost: {}; another one is started", e.getMessage());
      }
      from.close();
      connection = Optional.empty();
      launches.clear();
      listener.lost();
      watchesLost();
      Optional<SpawnerConnection> next = again();
      if (next.isEmpty()) {
        break;
      }
      from = next.get();
    }
    from.close();
  }

  private Optional<SpawnerConnection> again() {
    while (!closed) {
      try {
        SpawnerConnection next = SpawnerConnection.open(runtime, binary);
        connection = Optional.of(next);
        // Requests that found no connection in between were dropped.
        listener.lost();
        watching.clear();
        watches.keySet().forEach(this::watch);
        LOG.info("There is a launcher again");
        return connection;
      } catch (IOException e) {
        LOG.error("Cannot start another launcher, which is tried again", e);
      }
      try {
        TimeUnit.SECONDS.sleep(RETRY_SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    return Optional.empty();
  }

  private void report(NativeFrames.Frame frame) {
    String key = frame.text(NativeFrames.CONTAINER);
    try {
      switch (frame.type()) {
        case NativeFrames.STARTED ->
            listener.started(
                key,
                new ShimProcess(
                    frame.number(NativeFrames.PID).orElseThrow(),
                    frame.number(NativeFrames.START).orElseThrow(),
                    frame.number(NativeFrames.SHIM).orElseThrow(),
                    frame.number(NativeFrames.SHIM_START).orElse(0)));
        case NativeFrames.EXITED ->
            listener.exited(
                key,
                frame.number(NativeFrames.PID).orElse(0),
                (int) frame.number(NativeFrames.STATUS).orElseThrow());
        case NativeFrames.FAILED -> listener.failed(key, frame.text(NativeFrames.TEXT));
        case NativeFrames.LOST -> listener.lost(key, frame.text(NativeFrames.TEXT));
        case NativeFrames.HELPER_LOST -> listener.helperLost(key, frame.text(NativeFrames.TEXT));
        case NativeFrames.MEMORY -> {
          Path cgroup = Path.of(frame.text(NativeFrames.PATH));
          if (watches.containsKey(cgroup)) {
            listener.memory(cgroup, News.HAPPENED);
          }
        }
        case NativeFrames.OK -> {
          launches.remove(frame.number());
          Path cgroup = watching.remove(frame.number());
          if (cgroup != null) {
            told(cgroup, true);
          }
        }
        case NativeFrames.ERROR -> {
          String refused = launches.remove(frame.number());
          Path cgroup = watching.remove(frame.number());
          if (cgroup != null) {
            refused(cgroup, frame.text(NativeFrames.TEXT));
            told(cgroup, false);
            // Not asked for again with another spawner, unless somebody does.
            watches.remove(cgroup);
          } else if (refused != null) {
            listener.failed(refused, "could not be made: " + frame.text(NativeFrames.TEXT));
          } else {
            LOG.debug("The launcher refuses a request: {}", frame.text(NativeFrames.TEXT));
          }
        }
        default -> {}
      }
    } catch (RuntimeException e) {
      LOG.error("A report of the launcher could not be handled: {}", frame, e);
    }
  }

  @Override
  public void close(boolean left) {
    closed = true;
    if (!left) {
      request(NativeFrames.write(NativeFrames.RETIRE, numbers.incrementAndGet()).frame());
    }
    request(END);
    try {
      writer.join(TimeUnit.SECONDS.toMillis(2));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    connection.ifPresent(SpawnerConnection::close);
  }
}
