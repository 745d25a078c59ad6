package org.mezzo.containerizer.processes;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shell that forks shims and sends signals, and the fifo through which shims report. One of
 * each per agent; the shell is started again when it is gone.
 */
final class Launcher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Launcher.class);
  private static final int PIDS_PER_REQUEST = 500;

  /** Told what shims report, on one thread; must not block for long. */
  interface Listener {
    /** The first process exists, below its shim. */
    void started(String containerId, long pid, long startTime, long shim);

    /** The first process ended. */
    void exited(String containerId, int waitStatus);

    /** The shim could not start the first process. */
    void failed(String containerId, String reason);

    /** The launcher shell was lost: launches that were not reported will not be. */
    void lost();
  }

  private final Path runtime;
  private final SystemTools tools;
  private final Listener listener;
  private final RandomAccessFile events;
  private Process process;
  private OutputStream requests;
  private volatile boolean closed;

  Launcher(Path runtime, SystemTools tools, Listener listener) throws IOException {
    this.runtime = runtime;
    this.tools = tools;
    this.listener = listener;
    try (InputStream script = Launcher.class.getResourceAsStream("launcher.sh")) {
      Path next = runtime.resolve("launcher.sh.new");
      Files.write(next, script.readAllBytes());
      Files.move(
          next, runtime.resolve("launcher.sh"), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }
    Path fifo = runtime.resolve("events");
    Files.deleteIfExists(fifo);
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
    events = new RandomAccessFile(fifo.toFile(), "rw");
    Thread reader = new Thread(this::read, "containers-" + runtime.getFileName());
    reader.setDaemon(true);
    reader.setContextClassLoader(null);
    reader.start();
    start();
  }

  private void start() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            tools.setsid().toString(),
            tools.shell().toString(),
            runtime.resolve("launcher.sh").toString(),
            runtime.toString(),
            tools.mkfifo().toString());
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.put("PATH", SystemTools.DEFAULT_PATH);
    environment.put("LC_ALL", "C");
    builder.redirectErrorStream(true);
    builder.redirectOutput(
        ProcessBuilder.Redirect.appendTo(runtime.resolve("launcher.log").toFile()));
    builder.directory(runtime.toFile());
    Process started = builder.start();
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

  /** Asks for a container to be started. */
  void launch(String containerId, boolean hold, String cgroupProcs) throws IOException {
    request("launch " + containerId + " " + (hold ? 1 : 0) + " " + cgroupProcs);
  }

  /** Lets a held container go on. */
  void release(String containerId) throws IOException {
    try (RandomAccessFile go =
        new RandomAccessFile(
            runtime.resolve("containers").resolve(containerId).resolve("go").toFile(), "rw")) {
      go.write("go\n".getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** Sends a signal; processes that are gone are ignored. */
  void kill(int signal, Collection<Long> pids) {
    StringBuilder line = new StringBuilder();
    int count = 0;
    for (long pid : pids) {
      line.append(' ').append(pid);
      if (++count % PIDS_PER_REQUEST == 0 || count == pids.size()) {
        try {
          request("kill " + signal + line);
        } catch (IOException e) {
          LOG.error("Cannot send signal {} to{}", signal, line, e);
        }
        line.setLength(0);
      }
    }
  }

  /** Writes a line into a file once every request before it was carried out. */
  void write(String text, Path file) {
    try {
      request("write " + text + " " + file);
    } catch (IOException e) {
      LOG.error("Cannot write {} to {}", text, file, e);
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
    String[] words = line.split(" ", 5);
    try {
      switch (words[0]) {
        case "started" ->
            listener.started(
                words[1],
                Long.parseLong(words[2]),
                Long.parseLong(words[3]),
                Long.parseLong(words[4]));
        case "exited" -> listener.exited(words[1], Integer.parseInt(words[2]));
        case "failed" -> listener.failed(words[1], line.substring(8 + words[1].length()));
        default -> {}
      }
    } catch (RuntimeException e) {
      LOG.error("A report of a shim could not be handled: {}", line, e);
    }
  }

  /** Shims go on; what they report from now on stands in their files only. */
  @Override
  public void close() {
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
    for (String name : List.of("launcher.pid", "events")) {
      try {
        Files.deleteIfExists(runtime.resolve(name));
      } catch (IOException e) {
        LOG.debug("Removing {}", name, e);
      }
    }
  }
}
