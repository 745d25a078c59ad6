package org.mezzo.containerizer.processes;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.isolator.CgroupWatch.News;
import org.mezzo.api.isolator.LaunchPlan.Feature;
import org.mezzo.containerizer.LaunchException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shells of one agent: one forks shims, one sends signals, so that these wait behind no launch;
 * and the fifo through which shims report, those of an earlier agent process, too. A shell is
 * started when it is needed and gone.
 */
final class ShellLauncher implements Launcher {
  private static final Logger LOG = LoggerFactory.getLogger(ShellLauncher.class);
  private static final int PIDS_PER_REQUEST = 500;
  private static final int SIGKILL = 9;
  private static final int SIGTERM = 15;

  /** Reads a signal and process ids from each line. */
  private static final String SIGNALLER =
      "set -f; while read -r signal pids; do kill -s \"$signal\" $pids 2>/dev/null; done";

  private final Path runtime;
  private final SystemTools tools;
  private final Listener listener;
  private final CommandScripts scripts;
  private final RandomAccessFile events;
  private final Object signalling = new Object();
  private Process process;
  private OutputStream requests;
  private Process signaller;
  private volatile boolean closed;

  ShellLauncher(Path runtime, SystemTools tools, Listener listener) throws IOException {
    this.runtime = runtime;
    this.tools = tools;
    this.listener = listener;
    this.scripts = new CommandScripts(tools);
    try (InputStream script = ShellLauncher.class.getResourceAsStream("launcher.sh")) {
      Path next = runtime.resolve("launcher.sh.new");
      Files.write(next, script.readAllBytes());
      Files.move(
          next, runtime.resolve("launcher.sh"), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }
    Path fifo = runtime.resolve("events");
    if (!isFifo(fifo)) {
      Files.deleteIfExists(fifo);
      make(fifo);
    }
    events = new RandomAccessFile(fifo.toFile(), "rw");
    Thread reader = new Thread(this::read, "containers-" + runtime.getFileName());
    reader.setDaemon(true);
    reader.setContextClassLoader(null);
    reader.start();
    start();
  }

  /** One of an earlier agent process is what its shims report to. */
  private static boolean isFifo(Path path) {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .isOther();
    } catch (IOException e) {
      return false;
    }
  }

  private void make(Path fifo) throws IOException {
    Process maker =
        new ProcessBuilder(tools.mkfifo().toString(), "-m", "600", fifo.toString()).start();
    try {
      if (!maker.waitFor(10, TimeUnit.SECONDS) || maker.exitValue() != 0) {
        throw new IOException("Cannot make the fifo " + fifo + "; does the filesystem allow it?");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while making " + fifo, e);
    }
  }

  @Override
  public Set<Feature> features() {
    return tools.prlimit().isPresent()
        ? Set.of(Feature.ENVIRONMENT, Feature.RLIMITS)
        : Set.of(Feature.ENVIRONMENT);
  }

  private ProcessBuilder shell(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(tools.setsid().toString());
    command.add(tools.shell().toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.put("PATH", SystemTools.DEFAULT_PATH);
    environment.put("LC_ALL", "C");
    builder.redirectErrorStream(true);
    builder.redirectOutput(
        ProcessBuilder.Redirect.appendTo(runtime.resolve("launcher.log").toFile()));
    builder.directory(runtime.toFile());
    return builder;
  }

  private void start() throws IOException {
    Process started =
        shell(
                runtime.resolve("launcher.sh").toString(),
                runtime.toString(),
                tools.mkfifo().toString())
            .start();
    process = started;
    requests = started.getOutputStream();
    started
        .onExit()
        .thenRun(
            () -> {
              if (!closed) {
                LOG.error(
                    "The launcher shell {} ended with status {}; see {}. It is started again for"
                        + " the next launch",
                    started.pid(),
                    started.exitValue(),
                    runtime.resolve("launcher.log"));
                listener.lost();
              }
            });
  }

  @Override
  public Set<Stream> streams() {
    return Set.of();
  }

  @Override
  public Optional<String> mountObstacle() {
    return Optional.of(
        "it needs an agent that is root and has the native launcher (--launcher=native)");
  }

  @Override
  public boolean entersNetworks() {
    return false;
  }

  @Override
  public void launch(Start start) throws LaunchException, IOException {
    scripts.write(start);
    request(
        "launch "
            + start.key()
            + " "
            + (start.held() ? 1 : 0)
            + " "
            + start.cgroup().map(it -> it.resolve("cgroup.procs").toString()).orElse(""));
  }

  @Override
  public void release(Path folder) throws IOException {
    try (RandomAccessFile go = new RandomAccessFile(folder.resolve("go").toFile(), "rw")) {
      go.write("go\n".getBytes(StandardCharsets.US_ASCII));
    }
  }

  @Override
  public void watchMemory(Path cgroup) {
    listener.memory(cgroup, News.ENDED);
  }

  @Override
  public void unwatchMemory(Path cgroup) {}

  @Override
  public void signal(int signal, Collection<Long> pids) {
    List<Long> others = new ArrayList<>();
    for (long pid : pids) {
      if (signal == SIGKILL) {
        ProcessHandle.of(pid).ifPresent(ShellLauncher::kill);
      } else if (signal == SIGTERM) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
      } else {
        others.add(pid);
      }
    }
    for (int from = 0; from < others.size(); from += PIDS_PER_REQUEST) {
      StringBuilder line = new StringBuilder().append(signal);
      others
          .subList(from, Math.min(others.size(), from + PIDS_PER_REQUEST))
          .forEach(pid -> line.append(' ').append(pid));
      tell(line.append('\n').toString());
    }
  }

  private static void kill(ProcessHandle process) {
    process.destroyForcibly();
  }

  /** Has the other shell send what a process of Java cannot. */
  private void tell(String line) {
    byte[] bytes = line.getBytes(StandardCharsets.US_ASCII);
    synchronized (signalling) {
      for (int attempt = 0; ; attempt++) {
        try {
          if (signaller == null || !signaller.isAlive()) {
            signaller = shell("-c", SIGNALLER).start();
          }
          signaller.getOutputStream().write(bytes);
          signaller.getOutputStream().flush();
          return;
        } catch (IOException e) {
          if (attempt == 1) {
            LOG.error("Cannot send signal {}", line.strip(), e);
            return;
          }
        }
      }
    }
  }

  private synchronized void request(String line) throws IOException {
    byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
    if (closed) {
      throw new IOException("The agent is stopping");
    }
    try {
      requests.write(bytes);
      requests.flush();
    } catch (IOException e) {
      start();
      requests.write(bytes);
      requests.flush();
    }
  }

  private void read() {
    try (InputStream in = new FileInputStream(events.getFD())) {
      byte[] buffer = new byte[65_536];
      int kept = 0;
      while (!closed) {
        int count = in.read(buffer, kept, buffer.length - kept);
        if (count < 0) {
          break;
        }
        int end = kept + count;
        int from = 0;
        for (int i = kept; i < end; i++) {
          if (buffer[i] == '\n') {
            report(new String(buffer, from, i - from, StandardCharsets.UTF_8));
            from = i + 1;
          }
        }
        kept = end - from;
        System.arraycopy(buffer, from, buffer, 0, kept);
        if (kept == buffer.length) {
          kept = 0;
        }
      }
    } catch (IOException e) {
      if (!closed) {
        LOG.error("Cannot read {}: ends of tasks go unnoticed", runtime.resolve("events"), e);
      }
    }
  }

  private void report(String line) {
    String[] words = line.split(" ", 3);
    try {
      switch (words[0]) {
        case "started" ->
            ShimProcess.parse(words[2]).ifPresent(process -> listener.started(words[1], process));
        case "exited" -> {
          String[] how = words[2].split(" ");
          listener.exited(words[1], Long.parseLong(how[1]), Integer.parseInt(how[0]));
        }
        case "failed" -> listener.failed(words[1], line.substring(8 + words[1].length()));
        default -> {}
      }
    } catch (RuntimeException e) {
      LOG.error("A report of a shim could not be handled: {}", line, e);
    }
  }

  @Override
  public void close(boolean left) {
    synchronized (signalling) {
      if (signaller != null) {
        try {
          signaller.getOutputStream().close();
        } catch (IOException e) {
          LOG.debug("Closing the requests for signals", e);
        }
      }
    }
    synchronized (this) {
      closed = true;
      try {
        requests.close();
      } catch (IOException e) {
        LOG.debug("Closing the launcher's requests", e);
      }
    }
    try {
      events.write('\n');
      process.waitFor(2, TimeUnit.SECONDS);
    } catch (IOException e) {
      LOG.debug("Waking the reader of events", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (String name : left ? List.of("launcher.pid") : List.of("launcher.pid", "events")) {
      try {
        Files.deleteIfExists(runtime.resolve(name));
      } catch (IOException e) {
        LOG.debug("Removing {}", name, e);
      }
    }
  }
}
