package org.mezzo.link.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.http.BodyListener;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.ResponseStream;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.Welcome;
import org.mezzo.link.wire.Frames;
import org.mezzo.protocol.v1.FrameworkInfo;

/** One thread writes to all agents; nothing that happens with one of them may end it. */
class HttpLinkServerTest {
  private static final Error BROKEN = new LinkageError("meant");

  private final HttpLinkServer server = new HttpLinkServer();
  private final LinkedBlockingQueue<Throwable> faults = new LinkedBlockingQueue<>();

  private volatile LinkServer.Session session;

  @AfterEach
  void close() {
    server.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theWriterSurvivesWhatOneAgentsConnectionThrows(boolean alsoWhenAborted) throws Exception {
    LinkedBlockingQueue<String> closed = open(new BrokenStream(alsoWhenAborted));

    assertThat(closed.poll(60, TimeUnit.SECONDS)).isEqualTo("a fault of the master: " + BROKEN);
    assertThat(faults.poll(60, TimeUnit.SECONDS)).isSameAs(BROKEN);

    RecordingStream healthy = new RecordingStream();
    open(healthy);
    assertThat(healthy.written.poll(60, TimeUnit.SECONDS)).as("the welcome").isNotNull();
  }

  @Test
  void aFaultOfOneLinkIsNotToldTwice() throws Exception {
    LinkedBlockingQueue<String> closed = open(new BrokenStream(false));
    assertThat(closed.poll(60, TimeUnit.SECONDS)).isNotNull();
    RecordingStream next = new RecordingStream();
    open(next);
    next.written.poll(60, TimeUnit.SECONDS);
    assertThat(closed).isEmpty();
    assertThat(faults).hasSize(1);
  }

  @Test
  void anAgentForWhichTooManyEventsWaitIsCut() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    RecordingStream slow =
        new RecordingStream() {
          @Override
          public boolean write(byte[] bytes) {
            writing.countDown();
            try {
              go.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return super.write(bytes);
          }
        };
    LinkedBlockingQueue<String> closed = open(slow);
    assertThat(writing.await(60, TimeUnit.SECONDS)).isTrue();
    int sent = 0;
    while (session.send(MasterEvent.newBuilder().setPing(Ping.getDefaultInstance()))) {
      assertThat(++sent).isLessThanOrEqualTo(100_000);
    }
    assertThat(sent).isEqualTo(100_000);
    go.countDown();
    assertThat(closed.poll(60, TimeUnit.SECONDS)).contains("100000 events wait");
    assertThat(server.waiting()).isZero();
  }

  @Test
  void eventsThatWaitAreCountedAndGoOutInTheirOrder() throws Exception {
    RecordingStream stream = new RecordingStream();
    open(stream);
    stream.written.poll(60, TimeUnit.SECONDS);
    FrameworkInfo framework = FrameworkInfo.newBuilder().setUser("u").setName("n").build();
    List<MasterEvent> expected = new ArrayList<>();
    for (int i = 1; i <= 1000; i++) {
      MasterEvent.Builder event =
          MasterEvent.newBuilder()
              .setRunTask(
                  RunTask.newBuilder().setFramework(framework).setResourceVersionUuid("r" + i));
      session.send(event);
      expected.add(event.setNumber(i).build());
    }
    List<MasterEvent> got = new ArrayList<>();
    Frames.Decoder decoder =
        new Frames.Decoder((kind, content) -> got.add(MasterEvent.parseFrom(content)));
    while (got.size() < expected.size()) {
      decoder.feed(ByteBuffer.wrap(stream.written.poll(60, TimeUnit.SECONDS)));
    }
    assertThat(got).isEqualTo(expected);
    assertThat(server.waiting()).isZero();
  }

  /** Opens a link on this answer; what is returned tells of its end. */
  private LinkedBlockingQueue<String> open(ResponseStream stream) throws Exception {
    LinkedBlockingQueue<String> closed = new LinkedBlockingQueue<>();
    LinkServer.Acceptor acceptor =
        new LinkServer.Acceptor() {
          @Override
          public void opened(LinkServer.Session session, Hello hello, Optional<String> principal) {
            HttpLinkServerTest.this.session = session;
            session.accept(
                Welcome.getDefaultInstance(),
                new LinkServer.Listener() {
                  @Override
                  public void call(AgentCall call) {}

                  @Override
                  public void closed(String reason) {
                    closed.add(reason);
                  }
                });
          }

          @Override
          public void failed(LinkServer.Session session, Throwable cause) {
            faults.add(cause);
          }
        };
    BodyListener[] body = new BodyListener[1];
    HttpExchange exchange =
        (HttpExchange)
            Proxy.newProxyInstance(
                HttpExchange.class.getClassLoader(),
                new Class<?>[] {HttpExchange.class},
                (proxy, method, arguments) ->
                    switch (method.getName()) {
                      case "path" -> LinkServer.PATH + "/connect";
                      case "method" -> "POST";
                      case "clientCertificate" -> Optional.empty();
                      case "remote" -> InetSocketAddress.createUnresolved("agent", 1);
                      case "receive" -> {
                        body[0] = (BodyListener) arguments[0];
                        yield null;
                      }
                      case "stream" -> stream;
                      default -> throw new UnsupportedOperationException(method.getName());
                    });
    server.handler(acceptor).handle(exchange);
    Hello hello = Hello.newBuilder().setMajor(1).setMinor(0).build();
    body[0].bytes(ByteBuffer.wrap(Frames.frame(Frames.HELLO, hello)));
    return closed;
  }

  private static class RecordingStream implements ResponseStream {
    final LinkedBlockingQueue<byte[]> written = new LinkedBlockingQueue<>();

    @Override
    public boolean write(byte[] bytes) {
      written.add(bytes);
      return true;
    }

    @Override
    public void end() {}

    @Override
    public void abort() {}

    @Override
    public void abort(Throwable reason) {}

    @Override
    public void onClosed(Consumer<Throwable> listener) {}

    @Override
    public void whenTaken(Runnable listener) {
      listener.run();
    }

    @Override
    public long queuedBytes() {
      return 0;
    }
  }

  private record BrokenStream(boolean alsoWhenAborted) implements ResponseStream {
    @Override
    public boolean write(byte[] bytes) {
      throw BROKEN;
    }

    @Override
    public void end() {}

    @Override
    public void abort() {
      abort(null);
    }

    @Override
    public void abort(Throwable reason) {
      if (alsoWhenAborted) {
        throw new IllegalStateException("meant as well");
      }
    }

    @Override
    public void onClosed(Consumer<Throwable> listener) {}

    @Override
    public void whenTaken(Runnable listener) {
      listener.run();
    }

    @Override
    public long queuedBytes() {
      return 0;
    }
  }
}
