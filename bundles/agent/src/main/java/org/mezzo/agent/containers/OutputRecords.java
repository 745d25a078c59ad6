package org.mezzo.agent.containers;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.mezzo.containerizer.Attachment;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.OutputSink;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.http.StreamBound;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.agent.ProcessIO;

/**
 * What a container writes, as the records of an answer. The next bytes are asked for when the
 * client has taken those before. Called as of {@link OutputSink}.
 */
final class OutputRecords implements OutputSink {
  /** A record at a time waits, beside heartbeats. */
  private static final StreamBound BOUND = StreamBound.of(1 << 20);

  private final CompletableFuture<EventStream<ProcessIO>> stream = new CompletableFuture<>();
  private final Supplier<CompletionStage<?>> end;
  private CompletionStage<?> last = stream;

  /**
   * Nothing is answered yet.
   *
   * @param end asked once all is written: completes when there will be no more
   */
  OutputRecords(Supplier<CompletionStage<?>> end) {
    this.end = end;
  }

  /**
   * Answers a call.
   *
   * @param attachment closed when the client is gone
   * @param heartbeat between records that say that the connection lives
   * @param gone run once when the answer has ended for whatever reason
   */
  void answer(
      CallExchange exchange,
      Attachment attachment,
      EventLoop loop,
      Duration heartbeat,
      Runnable gone) {
    EventStream<ProcessIO> open = exchange.stream(Map.of(), BOUND);
    open.onClosed(
        cause -> {
          attachment.close();
          gone.run();
        });
    loop.execute(() -> open.heartbeat(loop, heartbeat, Encoded.of(heartbeat(heartbeat))));
    stream.complete(open);
  }

  private static ProcessIO heartbeat(Duration interval) {
    return ProcessIO.newBuilder()
        .setType(ProcessIO.Type.CONTROL)
        .setControl(
            ProcessIO.Control.newBuilder()
                .setType(ProcessIO.Control.Type.HEARTBEAT)
                .setHeartbeat(
                    ProcessIO.Control.Heartbeat.newBuilder()
                        .setInterval(DurationInfo.newBuilder().setNanoseconds(interval.toNanos()))))
        .build();
  }

  @Override
  public CompletionStage<?> data(ContainerIo.Stream which, ByteBuffer bytes) {
    ProcessIO record =
        ProcessIO.newBuilder()
            .setType(ProcessIO.Type.DATA)
            .setData(
                ProcessIO.Data.newBuilder()
                    .setType(
                        which == ContainerIo.Stream.STDOUT
                            ? ProcessIO.Data.Type.STDOUT
                            : ProcessIO.Data.Type.STDERR)
                    .setData(ByteString.copyFrom(bytes)))
            .build();
    CompletionStage<?> taken =
        last.thenCompose(
            before -> {
              CompletableFuture<Void> done = new CompletableFuture<>();
              EventStream<ProcessIO> open = stream.join();
              open.send(record);
              open.whenTaken(() -> done.complete(null));
              return done;
            });
    last = taken;
    return taken;
  }

  @Override
  public void ended(Optional<String> problem) {
    last.thenCompose(
            before -> problem.isPresent() ? CompletableFuture.completedStage(null) : end.get())
        .whenComplete(
            (over, failure) -> {
              if (problem.isPresent()) {
                stream.join().abort(new IOException(problem.get()));
              } else if (!stream.isCompletedExceptionally()) {
                stream.join().end();
              }
            });
  }
}
