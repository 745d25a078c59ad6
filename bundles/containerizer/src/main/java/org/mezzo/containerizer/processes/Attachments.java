package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.mezzo.api.Metrics;
import org.mezzo.containerizer.AttachException;
import org.mezzo.containerizer.AttachException.Reason;
import org.mezzo.containerizer.Attachment;
import org.mezzo.containerizer.ContainerInput;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.OutputSink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Those who are attached to the containers of an agent. Each has a connection of its own with the
 * container's shim; one thread, which waits for nothing but them, serves all. What a reader does
 * not take stays with the shim, which says what comes of that.
 */
final class Attachments implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Attachments.class);
  private static final String CONTROL = "control";
  private static final int MOST = 1000;
  private static final int PIECE = 1 << 16;
  private static final int ANSWER_SECONDS = 10;
  private static final int NOTHING_THERE = 1;
  private static final int TAKEN = 2;
  private static final int TOO_MANY = 3;
  private static final int ENDED = 4;
  private static final CompletionStage<Void> NOW = CompletableFuture.completedStage(null);

  private final String name;
  private final Executor connecting;
  private final Metrics.Counter cut;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicInteger attached = new AtomicInteger();
  private final AtomicLong waiting = new AtomicLong();

  // Of its thread.
  private final Set<ShimConnection> connections = new HashSet<>();

  private Optional<Selector> selector = Optional.empty();
  private boolean ended;
  private volatile boolean closed;

  /**
   * Nobody is attached yet.
   *
   * @param connecting where connections are made, which may take a moment
   */
  Attachments(String name, Executor connecting, Metrics metrics) {
    this.name = name;
    this.connecting = connecting;
    cut = metrics.counter("containerizer/attachments_cut_off");
    metrics.gauge("containerizer/attachments", attached::get);
    metrics.gauge("containerizer/attachments_input_bytes_waiting", waiting::get);
  }

  /** Does something on the thread of all connections. */
  void execute(Runnable task) {
    synchronized (this) {
      if (!ended) {
        tasks.add(task);
        selector.ifPresent(Selector::wakeup);
        return;
      }
    }
    // All connections are closed, which is all that it can find.
    run(task);
  }

  private synchronized Selector selector() throws IOException {
    if (closed) {
      throw new IOException("The agent is stopping");
    }
    if (selector.isEmpty()) {
      Selector opened = Selector.open();
      selector = Optional.of(opened);
      Lanes.thread(name + "-containers-attached", () -> serve(opened)).start();
    }
    return selector.get();
  }

  private void serve(Selector on) {
    try {
      while (!closed) {
        on.select();
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
          run(task);
        }
        for (SelectionKey key : on.selectedKeys()) {
          run(((ShimConnection) key.attachment())::ready);
        }
        on.selectedKeys().clear();
      }
      IOException why = new IOException("The agent is stopping");
      List.copyOf(connections).forEach(connection -> run(() -> connection.fail(why)));
      on.close();
    } catch (IOException e) {
      LOG.error("Nobody can be attached to containers any more", e);
    }
    synchronized (this) {
      ended = true;
    }
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      run(task);
    }
  }

  private static void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      LOG.error("What somebody who is attached to a container does failed", e);
    }
  }

  /** A connection has ended. On the thread. */
  void gone(ShimConnection connection) {
    if (connections.remove(connection)) {
      attached.decrementAndGet();
    }
  }

  /** Gives a sink what a container writes. */
  CompletionStage<Attachment> output(ManagedContainer container, OutputSink sink) {
    CompletableFuture<Attachment> answer = new CompletableFuture<>();
    attach(
        container,
        List.of(1, 2),
        answer,
        connection -> {
          Output output = new Output(connection, sink);
          connection.events(output);
          return output;
        });
    return answer;
  }

  /** Gives somebody the input of a container. */
  CompletionStage<ContainerInput> input(ManagedContainer container) {
    CompletableFuture<ContainerInput> answer = new CompletableFuture<>();
    attach(
        container,
        List.of(0),
        answer,
        connection -> {
          Input input = new Input(connection);
          connection.events(input);
          return input;
        });
    return answer;
  }

  /** Makes of a connection what somebody holds; nothing of the container was heard on it yet. */
  private interface Making<A> {
    A of(ShimConnection connection);
  }

  private <A extends Attachment> void attach(
      ManagedContainer container,
      List<Integer> streams,
      CompletableFuture<A> answer,
      Making<A> making) {
    if (attached.incrementAndGet() > MOST) {
      attached.decrementAndGet();
      answer.completeExceptionally(
          new AttachException(
              Reason.BUSY, "So many are attached to containers of this agent: " + MOST));
      return;
    }
    try {
      connecting.execute(
          () -> {
            try {
              SocketChannel channel = connect(container);
              Selector on = selector();
              execute(() -> greet(container, channel, on, streams, answer, making));
            } catch (AttachException | IOException | RuntimeException e) {
              attached.decrementAndGet();
              answer.completeExceptionally(reason(container, e));
            }
          });
    } catch (RejectedExecutionException e) {
      attached.decrementAndGet();
      answer.completeExceptionally(
          new AttachException(Reason.UNAVAILABLE, "The agent is overloaded or stopping"));
    }
  }

  private static SocketChannel connect(ManagedContainer container)
      throws AttachException, IOException {
    Path folder = container.folder;
    if (Files.isDirectory(folder) && !Files.exists(folder.resolve(CONTROL))) {
      throw nothing(container);
    }
    SocketChannel channel = UnixSockets.connect(folder, CONTROL);
    try {
      channel.configureBlocking(false);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    return channel;
  }

  private static AttachException nothing(ManagedContainer container) {
    return new AttachException(
        Reason.NOT_ATTACHABLE,
        "Container '" + container + "' was launched without anything to attach to");
  }

  private static AttachException reason(ManagedContainer container, Throwable failure) {
    if (failure instanceof AttachException known) {
      return known;
    }
    if (failure instanceof TimeoutException) {
      return new AttachException(
          Reason.UNAVAILABLE,
          "The shim of container '"
              + container
              + "' does not answer within "
              + ANSWER_SECONDS
              + " seconds");
    }
    return container.state == Lifecycle.State.RUNNING
        ? new AttachException(
            Reason.UNAVAILABLE,
            "The shim of container '" + container + "' does not answer: " + failure.getMessage())
        : new AttachException(Reason.UNKNOWN, "Container '" + container + "' has ended");
  }

  private <A extends Attachment> void greet(
      ManagedContainer container,
      SocketChannel channel,
      Selector on,
      List<Integer> streams,
      CompletableFuture<A> answer,
      Making<A> making) {
    ShimConnection connection;
    try {
      SelectionKey key = channel.register(on, SelectionKey.OP_READ);
      connection = new ShimConnection(channel, key, this);
      key.attach(connection);
    } catch (IOException | RuntimeException e) {
      attached.decrementAndGet();
      answer.completeExceptionally(reason(container, e));
      return;
    }
    connections.add(connection);
    // One for whom the shim has no room is told so without being asked.
    CompletableFuture<NativeFrames.Frame> refused = new CompletableFuture<>();
    connection.events(
        new ShimConnection.Events() {
          @Override
          public CompletionStage<?> event(NativeFrames.Frame frame) {
            refused.complete(frame);
            return NOW;
          }

          @Override
          public void lost(IOException why) {
            refused.completeExceptionally(why);
          }
        });
    CompletableFuture<NativeFrames.Frame> hello =
        connection.ask(number -> SpawnerConnection.hello(number));
    // Both may be known by now, and then the reason counts, and not that the connection is gone.
    CompletableFuture.anyOf(refused, hello)
        .thenCompose(
            said -> {
              NativeFrames.Frame frame = (NativeFrames.Frame) said;
              if (frame.type() != NativeFrames.HELLO) {
                return CompletableFuture.completedFuture(frame);
              }
              if (!frame.texts(NativeFrames.FEATURE).contains("attach")) {
                return CompletableFuture.<NativeFrames.Frame>failedFuture(nothing(container));
              }
              return connection.ask(
                  number -> {
                    NativeFrames.Writer request = NativeFrames.write(NativeFrames.ATTACH, number);
                    streams.forEach(stream -> request.number(NativeFrames.STREAM, stream));
                    return request.frame();
                  });
            })
        .orTimeout(ANSWER_SECONDS, TimeUnit.SECONDS)
        .whenComplete(
            (frame, failure) -> {
              if (failure == null && frame.type() == NativeFrames.OK) {
                // Still on the thread: nothing that follows the answer was looked at yet.
                answer.complete(making.of(connection));
                return;
              }
              execute(() -> connection.close(new IOException("Nobody was attached")));
              Throwable root = failure;
              while (root != null && root.getCause() != null) {
                root = root.getCause();
              }
              answer.completeExceptionally(
                  failure == null ? refusal(container, frame) : reason(container, root));
            });
  }

  private static AttachException refusal(ManagedContainer container, NativeFrames.Frame frame) {
    Reason reason =
        switch ((int) frame.number(NativeFrames.OBSTACLE).orElse(0)) {
          case NOTHING_THERE -> Reason.NOT_ATTACHABLE;
          case TAKEN, TOO_MANY -> Reason.BUSY;
          case ENDED -> Reason.UNKNOWN;
          default -> Reason.UNAVAILABLE;
        };
    return new AttachException(
        reason,
        "Nobody can be attached to container '"
            + container
            + "': "
            + frame.text(NativeFrames.TEXT));
  }

  /** Somebody who reads. */
  private final class Output implements Attachment, ShimConnection.Events {
    private final ShimConnection connection;
    private final OutputSink sink;

    // Of the thread.
    private boolean over;

    Output(ShimConnection connection, OutputSink sink) {
      this.connection = connection;
      this.sink = sink;
    }

    @Override
    public CompletionStage<?> event(NativeFrames.Frame frame) {
      if (over) {
        return NOW;
      }
      if (frame.type() == NativeFrames.OUTPUT_DATA) {
        return data(frame);
      }
      if (frame.type() == NativeFrames.OUTPUT_END) {
        String text = frame.text(NativeFrames.TEXT);
        if (!text.isEmpty()) {
          cut.increment();
        }
        end(text.isEmpty() ? Optional.empty() : Optional.of("Output was cut off: " + text));
      }
      return NOW;
    }

    private CompletionStage<?> data(NativeFrames.Frame frame) {
      ContainerIo.Stream stream =
          frame.number(NativeFrames.STREAM).orElse(1) == 2
              ? ContainerIo.Stream.STDERR
              : ContainerIo.Stream.STDOUT;
      ByteBuffer bytes = ByteBuffer.wrap(frame.find(NativeFrames.DATA).orElse(new byte[0]));
      try {
        return sink.data(stream, bytes);
      } catch (RuntimeException | Error e) {
        LOG.warn("Somebody who is attached to the output of a container failed", e);
        over = true;
        connection.close(new IOException("The reader failed"));
        return NOW;
      }
    }

    private void end(Optional<String> problem) {
      if (!over) {
        over = true;
        connection.close(new IOException("Output is at its end"));
        sink.ended(problem);
      }
    }

    @Override
    public void lost(IOException why) {
      end(Optional.of("Output was cut off: " + why.getMessage()));
    }

    @Override
    public void close() {
      execute(() -> end(Optional.empty()));
    }
  }

  /** Somebody who writes. */
  private final class Input implements ContainerInput, ShimConnection.Events {
    private final ShimConnection connection;
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private final AtomicInteger own = new AtomicInteger();

    Input(ShimConnection connection) {
      this.connection = connection;
    }

    @Override
    public CompletionStage<?> event(NativeFrames.Frame frame) {
      return NOW;
    }

    @Override
    public void lost(IOException why) {
      over.complete(null);
    }

    @Override
    public CompletionStage<Void> write(ByteBuffer bytes) {
      int length = bytes.remaining();
      if (own.addAndGet(length) > WAITING_MOST) {
        own.addAndGet(-length);
        return CompletableFuture.failedStage(
            new IllegalStateException(
                "More than "
                    + WAITING_MOST
                    + " bytes would wait for the container; wait for what was written before"));
      }
      waiting.addAndGet(length);
      CompletableFuture<Void> taken = new CompletableFuture<>();
      execute(
          () -> {
            List<CompletableFuture<Void>> pieces = new ArrayList<>();
            while (bytes.hasRemaining()) {
              byte[] piece = new byte[Math.min(bytes.remaining(), PIECE)];
              bytes.get(piece);
              pieces.add(
                  ask(
                      number ->
                          NativeFrames.write(NativeFrames.INPUT, number)
                              .bytes(NativeFrames.DATA, piece)
                              .frame()));
            }
            CompletableFuture.allOf(pieces.toArray(CompletableFuture[]::new))
                .whenComplete(
                    (done, failure) -> {
                      own.addAndGet(-length);
                      waiting.addAndGet(-length);
                      tell(taken, failure);
                    });
          });
      return taken;
    }

    private CompletableFuture<Void> ask(java.util.function.IntFunction<byte[]> request) {
      return connection
          .ask(request)
          .thenAccept(
              frame -> {
                if (frame.type() != NativeFrames.OK) {
                  throw new UncheckedIOException(
                      new IOException("Not done: " + frame.text(NativeFrames.TEXT)));
                }
              });
    }

    private void tell(CompletableFuture<Void> whom, Throwable failure) {
      if (failure == null) {
        whom.complete(null);
        return;
      }
      Throwable root = failure;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      whom.completeExceptionally(root);
    }

    private CompletionStage<Void> asked(java.util.function.IntFunction<byte[]> request) {
      CompletableFuture<Void> done = new CompletableFuture<>();
      execute(() -> ask(request).whenComplete((it, failure) -> tell(done, failure)));
      return done;
    }

    @Override
    public CompletionStage<Void> end() {
      return asked(number -> NativeFrames.write(NativeFrames.CLOSE_INPUT, number).frame());
    }

    @Override
    public CompletionStage<Void> resize(ContainerIo.Window window) {
      return asked(
          number ->
              NativeFrames.write(NativeFrames.RESIZE, number)
                  .numbers(
                      NativeFrames.WINDOW, List.of((long) window.rows(), (long) window.columns()))
                  .frame());
    }

    @Override
    public CompletionStage<Void> closed() {
      return over.minimalCompletionStage();
    }

    @Override
    public void close() {
      execute(
          () -> {
            connection.close(new IOException("The input was given back"));
            over.complete(null);
          });
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      selector.ifPresent(Selector::wakeup);
    }
  }
}
