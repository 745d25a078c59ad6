package org.mezzo.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.protocol.recordio.RecordIo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Credential;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.TTYInfo;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Call.AttachContainerInput;
import org.mezzo.protocol.v1.agent.ProcessIO;
import org.mezzo.protocol.v1.agent.Response;

/**
 * The standard streams of this process, joined with those of a container through its agent's API:
 * one connection for output, a second one for input. For one thread, once.
 */
final class ContainerConnection {
  private static final Duration HEARTBEAT = Duration.ofSeconds(30);
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final Duration END = Duration.ofSeconds(10);
  private static final int MOST_RECORD_BYTES = 4 << 20;
  private static final int MOST_REASON_BYTES = 2_000;

  /** What the first process ended with is in the second byte, unless a signal is in the first. */
  private static final int SIGNAL_BITS = 0x7f;

  private static final int OF_SIGNALS = 128;

  /** Ctrl-P, Ctrl-Q. */
  private static final byte[] DETACH = {0x10, 0x11};

  private final String agent;
  private final Optional<Credential> credential;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();
  private final Optional<LocalTerminal> terminal;
  private final boolean interactive;
  private final SubmissionPublisher<ByteBuffer> input = new SubmissionPublisher<>();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "mezzo-heartbeat");
            thread.setDaemon(true);
            return thread;
          });

  /** Completes when the user has detached. */
  private final CompletableFuture<Void> detached = new CompletableFuture<>();

  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Connects nothing yet.
   *
   * @param agent {@code host:port}
   * @param credential whose principal asks; empty for nobody's
   * @param interactive whether the container gets the standard input
   * @param terminal what the user sits at, where the container has a terminal as well
   */
  ContainerConnection(
      String agent,
      Optional<Credential> credential,
      boolean interactive,
      Optional<LocalTerminal> terminal) {
    this.agent = agent;
    this.credential = credential;
    this.interactive = interactive;
    this.terminal = terminal;
  }

  /**
   * Runs a command beside a task.
   *
   * @param command a program and its arguments
   * @return the exit status for this process
   */
  int exec(ContainerID task, List<String> command) throws IOException, InterruptedException {
    ContainerID id =
        ContainerID.newBuilder().setValue(UUID.randomUUID().toString()).setParent(task).build();
    Call.LaunchNestedContainerSession.Builder session =
        Call.LaunchNestedContainerSession.newBuilder().setContainerId(id);
    CommandInfo.Builder run =
        session
            .getCommandBuilder()
            .setShell(false)
            .setValue(command.get(0))
            .addAllArguments(command);
    if (terminal.isPresent()) {
      String kind = System.getenv("TERM");
      if (kind != null && !kind.isEmpty()) {
        run.setEnvironment(
            Environment.newBuilder()
                .addVariables(Environment.Variable.newBuilder().setName("TERM").setValue(kind)));
      }
      TTYInfo.Builder tty = TTYInfo.newBuilder();
      terminal.get().size().ifPresent(size -> tty.setWindowSize(window(size)));
      session.setContainer(
          ContainerInfo.newBuilder().setType(ContainerInfo.Type.MESOS).setTtyInfo(tty));
    }
    return run(
        Call.newBuilder()
            .setType(Call.Type.LAUNCH_NESTED_CONTAINER_SESSION)
            .setLaunchNestedContainerSession(session)
            .build(),
        id,
        false);
  }

  /** Joins the streams of a task that has a terminal; the exit status for this process. */
  int attach(ContainerID task) throws IOException, InterruptedException {
    return run(
        Call.newBuilder()
            .setType(Call.Type.ATTACH_CONTAINER_OUTPUT)
            .setAttachContainerOutput(Call.AttachContainerOutput.newBuilder().setContainerId(task))
            .build(),
        task,
        true);
  }

  private int run(Call call, ContainerID id, boolean redraw)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> output =
        http.send(
            request(call)
                .header("Accept", "application/recordio")
                .header("Message-Accept", "application/x-protobuf")
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
    check(output.statusCode(), output.body());
    CompletableFuture<HttpResponse<byte[]>> end =
        http.sendAsync(
            request(
                    Call.newBuilder()
                        .setType(Call.Type.WAIT_CONTAINER)
                        .setWaitContainer(Call.WaitContainer.newBuilder().setContainerId(id))
                        .build())
                .header("Accept", "application/x-protobuf")
                .build(),
            HttpResponse.BodyHandlers.ofByteArray());
    CompletableFuture<Void> written = new CompletableFuture<>();
    start("output", () -> copy(output.body(), written));
    if (interactive) {
      if (terminal.isPresent()) {
        terminal.get().raw();
      }
      send(id, redraw);
    }
    try {
      CompletableFuture.anyOf(written, detached).get();
      if (detached.isDone()) {
        System.out.print("\r\n");
        System.out.flush();
        return 0;
      }
      return status(end);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException failure
          ? failure
          : new IOException(e.getCause().getMessage(), e);
    } finally {
      closed.set(true);
      clock.shutdownNow();
      input.close();
      terminal.ifPresent(LocalTerminal::close);
    }
  }

  private static void start(String name, Runnable work) {
    Thread thread = new Thread(work, "mezzo-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  private HttpRequest.Builder request(Call call) {
    return request()
        .header("Content-Type", "application/x-protobuf")
        .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray()));
  }

  private HttpRequest.Builder request() {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + agent + "/api/v1"));
    credential.ifPresent(it -> request.header("Authorization", HttpJson.authorization(it)));
    return request;
  }

  private static void check(int status, InputStream body) throws IOException {
    if (status == 200) {
      return;
    }
    try (body) {
      String text = new String(body.readNBytes(MOST_REASON_BYTES), StandardCharsets.UTF_8).strip();
      throw new IOException(
          text.startsWith("I/O switchboard server was disabled")
              ? "the task was launched without a terminal, so that nobody can attach to it"
              : "the agent answered with status "
                  + status
                  + ": "
                  + text
                  + (status == HttpJson.UNAUTHORIZED ? HttpJson.REMEDY : ""));
    }
  }

  private static int status(CompletableFuture<HttpResponse<byte[]>> end)
      throws IOException, InterruptedException, ExecutionException {
    HttpResponse<byte[]> answer;
    try {
      answer = end.get(END.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException("the output has ended, and the container does not", e);
    }
    if (answer.statusCode() != 200) {
      throw new IOException(
          "how it ended is not known: status "
              + answer.statusCode()
              + ": "
              + new String(answer.body(), StandardCharsets.UTF_8));
    }
    Response.WaitContainer told = Response.parseFrom(answer.body()).getWaitContainer();
    if (!told.hasExitStatus()) {
      throw new IOException("how it ended is not known");
    }
    int raw = told.getExitStatus();
    return (raw & SIGNAL_BITS) != 0 ? OF_SIGNALS + (raw & SIGNAL_BITS) : raw >> 8;
  }

  // Output.

  private void copy(InputStream body, CompletableFuture<Void> written) {
    OutputStream out = new FileOutputStream(FileDescriptor.out);
    OutputStream err = new FileOutputStream(FileDescriptor.err);
    RecordIo.Decoder decoder =
        RecordIo.decoder(MOST_RECORD_BYTES, record -> write(record, out, err));
    try (body) {
      byte[] buffer = new byte[1 << 16];
      for (int read = body.read(buffer); read >= 0; read = body.read(buffer)) {
        decoder.feed(ByteBuffer.wrap(buffer, 0, read));
      }
      if (!decoder.atBoundary()) {
        throw new IOException("the output was cut off");
      }
      written.complete(null);
    } catch (IOException | UncheckedIOException e) {
      written.completeExceptionally(
          new IOException("the output of the container is lost: " + e.getMessage(), e));
    }
  }

  private static void write(byte[] record, OutputStream out, OutputStream err) {
    try {
      ProcessIO io = ProcessIO.parseFrom(record);
      if (io.getType() == ProcessIO.Type.DATA) {
        boolean failed = io.getData().getType() == ProcessIO.Data.Type.STDERR;
        io.getData().getData().writeTo(failed ? err : out);
      }
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("the agent sent no records", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // Input.

  private void send(ContainerID id, boolean redraw) throws InterruptedException {
    http.sendAsync(
            request()
                .header("Content-Type", "application/recordio")
                .header("Message-Content-Type", "application/x-protobuf")
                .POST(HttpRequest.BodyPublishers.fromPublisher(input))
                .build(),
            HttpResponse.BodyHandlers.ofString())
        .thenAccept(
            answer -> {
              // 500: it has ended, which its output tells as well.
              if (answer.statusCode() != 200 && answer.statusCode() != 500 && !closed.get()) {
                System.err.print(
                    "mezzo: the input is not taken: status "
                        + answer.statusCode()
                        + ": "
                        + answer.body()
                        + "\r\n");
              }
            });
    while (input.getNumberOfSubscribers() == 0) {
      // What is submitted before there is one is lost.
      TimeUnit.MILLISECONDS.sleep(1);
    }
    submit(
        AttachContainerInput.newBuilder()
            .setType(AttachContainerInput.Type.CONTAINER_ID)
            .setContainerId(id));
    if (terminal.isPresent()) {
      if (redraw) {
        // Programs draw anew what they show when the size changes.
        resize(new LocalTerminal.Size(0, 0));
      }
      terminal.get().size().ifPresent(this::resize);
      terminal.get().onResize(this::resized);
    }
    clock.scheduleAtFixedRate(
        () ->
            submit(
                control(
                    ProcessIO.Control.newBuilder()
                        .setType(ProcessIO.Control.Type.HEARTBEAT)
                        .setHeartbeat(
                            ProcessIO.Control.Heartbeat.newBuilder()
                                .setInterval(
                                    DurationInfo.newBuilder()
                                        .setNanoseconds(HEARTBEAT.toNanos()))))),
        HEARTBEAT.toMillis(),
        HEARTBEAT.toMillis(),
        TimeUnit.MILLISECONDS);
    start("input", this::type);
  }

  private void type() {
    byte[] buffer = new byte[1024];
    boolean held = false;
    try (InputStream in = new FileInputStream(FileDescriptor.in)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        byte[] typed = Arrays.copyOf(buffer, read);
        if (terminal.isPresent()) {
          // The first key of the sequence waits until it is known what follows it.
          byte[] all = held ? joined(DETACH[0], typed) : typed;
          if (detaches(all)) {
            detached.complete(null);
            return;
          }
          held = all[all.length - 1] == DETACH[0];
          typed = held ? Arrays.copyOf(all, all.length - 1) : all;
        }
        if (typed.length > 0) {
          submit(data(ByteString.copyFrom(typed)));
        }
      }
    } catch (IOException e) {
      System.err.print("mezzo: the standard input cannot be read: " + e.getMessage() + "\r\n");
    }
    submit(data(ByteString.EMPTY));
    input.close();
  }

  private static byte[] joined(byte first, byte[] rest) {
    byte[] all = new byte[rest.length + 1];
    all[0] = first;
    System.arraycopy(rest, 0, all, 1, rest.length);
    return all;
  }

  /** Whether the sequence that detaches is in what was typed. */
  static boolean detaches(byte[] typed) {
    for (int i = 0; i + 1 < typed.length; i++) {
      if (typed[i] == DETACH[0] && typed[i + 1] == DETACH[1]) {
        return true;
      }
    }
    return false;
  }

  private void resized() {
    try {
      terminal.orElseThrow().size().ifPresent(this::resize);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void resize(LocalTerminal.Size size) {
    submit(
        control(
            ProcessIO.Control.newBuilder()
                .setType(ProcessIO.Control.Type.TTY_INFO)
                .setTtyInfo(TTYInfo.newBuilder().setWindowSize(window(size)))));
  }

  private static TTYInfo.WindowSize window(LocalTerminal.Size size) {
    return TTYInfo.WindowSize.newBuilder().setRows(size.rows()).setColumns(size.columns()).build();
  }

  private static AttachContainerInput.Builder data(ByteString typed) {
    return io(
        ProcessIO.newBuilder()
            .setType(ProcessIO.Type.DATA)
            .setData(
                ProcessIO.Data.newBuilder().setType(ProcessIO.Data.Type.STDIN).setData(typed)));
  }

  private static AttachContainerInput.Builder control(ProcessIO.Control.Builder control) {
    return io(ProcessIO.newBuilder().setType(ProcessIO.Type.CONTROL).setControl(control));
  }

  private static AttachContainerInput.Builder io(ProcessIO.Builder io) {
    return AttachContainerInput.newBuilder()
        .setType(AttachContainerInput.Type.PROCESS_IO)
        .setProcessIo(io);
  }

  /** Sends one record, at once; waits while too many are on their way. */
  private void submit(AttachContainerInput.Builder record) {
    try {
      input.submit(
          ByteBuffer.wrap(
              RecordIo.frame(
                  Call.newBuilder()
                      .setType(Call.Type.ATTACH_CONTAINER_INPUT)
                      .setAttachContainerInput(record)
                      .build()
                      .toByteArray())));
    } catch (IllegalStateException e) {
      // The input was closed meanwhile.
      return;
    }
  }
}
