package org.mezzo.driver.sessions;

import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.mezzo.driver.leaders.Leaders;
import org.mezzo.driver.wire.MessageReader;

/**
 * A subscription that is renewed with whichever master leads, and the calls that go with it, in
 * their order. Three daemon threads: one finds the master and reads its events, one sends calls,
 * one runs what the client does about it. Thread-safe.
 */
public final class Session implements Closeable {
  private static final Logger LOG = Logger.getLogger(Session.class.getName());

  /** A master that is silent for as many intervals of its heartbeat is taken for gone. */
  private static final int MISSED = 3;

  private static final int SUBSCRIBE_MS = 60_000;
  private static final int CALL_MS = 60_000;
  private static final int LEAST_SILENCE_MS = 2_000;
  private static final int MOST_REDIRECTS = 5;

  /** Events that wait for the client; more stay with the master. */
  private static final int MOST_EVENTS = 1024;

  /** Calls that wait to be sent; who has another one waits. */
  private static final int MOST_CALLS = 10_000;

  /** Calls that are on their way before the answer to the first of them is read. */
  private static final int MOST_AT_ONCE = 64;

  /** A connection that was idle for longer may be closed by the other side just as it is used. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private static final String STREAM_ID = "Mesos-Stream-Id";

  /** A subscription that a master has taken. */
  private static final class Stream {
    final Connection connection;
    final Map<String, String> headers;

    Stream(Connection connection, Map<String, String> headers) {
      this.connection = connection;
      this.headers = headers;
    }
  }

  private static final class Queued {
    final Stream stream;

    /** Empty when there is none, and somebody wants to know that those before it are sent. */
    final Optional<byte[]> call;

    final Optional<CountDownLatch> sent;

    Queued(Stream stream, Optional<byte[]> call, Optional<CountDownLatch> sent) {
      this.stream = stream;
      this.call = call;
      this.sent = sent;
    }
  }

  private final String path;
  private final Leaders leaders;
  private final Tls tls;
  private final Map<String, String> headers;
  private final Client client;
  private final BlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
  private final Semaphore room = new Semaphore(MOST_EVENTS);
  private final BlockingQueue<Queued> calls = new LinkedBlockingQueue<>(MOST_CALLS);
  private final BlockingQueue<byte[]> subscriptions = new LinkedBlockingQueue<>();
  private final AtomicReference<Stream> current = new AtomicReference<>();
  private final AtomicReference<Connection> subscribing = new AtomicReference<>();
  private final AtomicReference<Connection> sending = new AtomicReference<>();

  /** Those that are interrupted at the end. */
  private final List<Thread> threads = new ArrayList<>();

  private volatile boolean closed;

  /**
   * One that is not started yet.
   *
   * @param path of the calls, from its first slash
   * @param headers of all calls, for example who sends them
   */
  public Session(
      String path, Leaders leaders, Tls tls, Map<String, String> headers, Client client) {
    this.path = path;
    this.leaders = leaders;
    this.tls = tls;
    this.headers = Collections.unmodifiableMap(new HashMap<>(headers));
    this.client = client;
  }

  public synchronized void start() {
    threads.add(started("mezzo-driver-events", this::subscribe));
    threads.add(started("mezzo-driver-calls", this::send));
    started("mezzo-driver-callbacks", this::callBack);
  }

  private static Thread started(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** Subscribes where {@link Client#connected} was said, with an encoded call. */
  public void subscribe(byte[] call) {
    subscriptions.add(call);
  }

  /**
   * Sends a call after those before it; waits while too many wait for that.
   *
   * @return whether there is a master to send it to. That it gets there is not known.
   */
  public boolean send(byte[] call) {
    return send(Optional.of(call), Optional.empty());
  }

  /** Waits until all calls are answered or lost, or for as long as is said. */
  public void flush(long milliseconds) {
    CountDownLatch sent = new CountDownLatch(1);
    try {
      if (send(Optional.empty(), Optional.of(sent))
          && !sent.await(milliseconds, TimeUnit.MILLISECONDS)) {
        LOG.warning("The last calls were not answered in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean send(Optional<byte[]> call, Optional<CountDownLatch> sent) {
    Stream stream = current.get();
    if (stream == null || closed) {
      return false;
    }
    try {
      calls.put(new Queued(stream, call, sent));
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Has something done by the thread that calls the client, after what waits for it now. */
  public void callback(Runnable work) {
    callbacks.add(work);
  }

  /** Ends the subscription, be it taken or on its way; the next one follows. */
  public void reconnect() {
    current.set(null);
    Connection open = subscribing.get();
    if (open != null) {
      open.close();
    }
  }

  /** Ends the subscription for good. Calls that are not sent are lost, events not told. */
  @Override
  public synchronized void close() {
    closed = true;
    leaders.close();
    threads.forEach(Thread::interrupt);
    // The thread of the client is not interrupted: it may be in the middle of the client's work.
    callback(() -> {});
    for (AtomicReference<Connection> each : Arrays.asList(subscribing, sending)) {
      Connection open = each.get();
      if (open != null) {
        open.close();
      }
    }
  }

  // Callbacks.

  private void callBack() {
    try {
      while (!closed) {
        callbacks.take().run();
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  // Events.

  private void subscribe() {
    Backoff backoff = new Backoff();
    try {
      while (!closed) {
        URI leader = leaders.leader();
        callback(client::connected);
        boolean again = subscribe(leader, subscriptions.take(), backoff);
        subscriptions.clear();
        if (!again) {
          return;
        }
        callback(client::disconnected);
        Thread.sleep(backoff.nextMs());
      }
    } catch (InterruptedException e) {
      // Closed.
    } catch (RuntimeException | Error e) {
      // Without this thread nothing would come any more, and nobody would know.
      LOG.log(Level.SEVERE, "The driver cannot go on", e);
      callback(() -> client.refused(0, "the driver cannot go on: " + e));
    }
  }

  /** Comes back when the subscription has ended: whether to try another one. */
  private boolean subscribe(URI leader, byte[] call, Backoff backoff) throws InterruptedException {
    URI endpoint = leader.resolve(path);
    for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      try (Connection connection = Connection.to(endpoint)) {
        subscribing.set(connection);
        if (closed) {
          return false;
        }
        connection.open(tls, SUBSCRIBE_MS);
        connection.write(call, headers);
        connection.flush();
        Connection.Answer answer = connection.answer();
        Optional<URI> elsewhere = redirect(endpoint, answer);
        if (elsewhere.isPresent()) {
          endpoint = elsewhere.get();
          continue;
        }
        if (answer.status() == 200) {
          backoff.reset();
          read(connection, answer);
          return true;
        }
        String message = "the master at " + endpoint + " says: " + answer.text();
        if (answer.status() >= 500) {
          LOG.log(Level.WARNING, "Not subscribed yet; {0}", message);
          return true;
        }
        callback(() -> client.refused(answer.status(), message));
        return false;
      } catch (IOException e) {
        if (!closed) {
          LOG.log(
              Level.WARNING,
              current.get() == null
                  ? "No subscription at {0}, trying again: {1}{2}"
                  : "The subscription at {0} has ended, looking for the leader: {1}{2}",
              new Object[] {endpoint, e, Tls.remedy(e)});
        }
        return true;
      } finally {
        current.set(null);
      }
    }
    LOG.log(Level.WARNING, "Masters redirect in circles, at last to {0}", endpoint);
    return true;
  }

  private Optional<URI> redirect(URI from, Connection.Answer answer) throws IOException {
    if (answer.status() != 307 && answer.status() != 308) {
      return Optional.empty();
    }
    String location =
        answer
            .header("Location")
            .orElseThrow(() -> new IOException(from + " redirects without a Location"));
    try {
      URI target = from.resolve(location);
      if (target.getHost() == null || target.getPort() < 1) {
        throw new IOException(from + " redirects to " + location + ", which is no master");
      }
      // Some name the master alone.
      boolean bare = target.getRawPath().isEmpty() || target.getRawPath().equals("/");
      return Optional.of(bare ? target.resolve(path) : target);
    } catch (IllegalArgumentException e) {
      throw new IOException(from + " redirects to " + location + ", which is no address", e);
    }
  }

  private void read(Connection connection, Connection.Answer answer)
      throws IOException, InterruptedException {
    Map<String, String> ofCalls = new HashMap<>(headers);
    answer.header(STREAM_ID).ifPresent(it -> ofCalls.put(STREAM_ID, it));
    current.set(new Stream(connection, ofCalls));
    Records records = new Records(answer.body());
    while (!closed) {
      byte[] event = records.next();
      double heartbeat = heartbeat(event);
      if (heartbeat > 0) {
        connection.silence(
            (int) Math.max(LEAST_SILENCE_MS, Math.min(3600, heartbeat * MISSED) * 1000));
      }
      room.acquire();
      callback(
          () -> {
            room.release();
            client.received(event);
          });
    }
  }

  /**
   * How often the master promises to say something, in seconds; 0 when this event does not tell.
   */
  private static double heartbeat(byte[] event) throws IOException {
    // SUBSCRIBED, subscribed.heartbeat_interval_seconds.
    MessageReader message = new MessageReader(event);
    return message.number(1, 0) == 1 ? message.message(2).real(2, 0) : 0;
  }

  // Calls.

  private void send() {
    List<Queued> batch = new ArrayList<>();
    long used = System.nanoTime();
    try {
      while (!closed) {
        batch.add(calls.take());
        calls.drainTo(batch, MOST_AT_ONCE - 1);
        if (System.nanoTime() - used > IDLE_NANOS) {
          hangUp();
        }
        for (int from = 0; from < batch.size(); ) {
          int to = from + 1;
          while (to < batch.size() && batch.get(to).stream == batch.get(from).stream) {
            to++;
          }
          send(batch.get(from).stream, batch.subList(from, to));
          from = to;
        }
        used = System.nanoTime();
        batch.clear();
      }
    } catch (InterruptedException e) {
      // Closed.
    } finally {
      hangUp();
    }
  }

  private void send(Stream stream, List<Queued> batch) {
    try {
      if (stream != current.get()) {
        LOG.log(Level.WARNING, "{0} calls are lost: their master does not lead", batch.size());
        return;
      }
      Connection connection = sending(stream);
      int written = 0;
      for (Queued each : batch) {
        if (each.call.isPresent()) {
          connection.write(each.call.get(), stream.headers);
          written++;
        }
      }
      connection.flush();
      for (int i = 0; i < written; i++) {
        Connection.Answer answer = connection.answer();
        String text = answer.text();
        if (answer.status() == 307 || answer.status() >= 500) {
          throw new IOException("its answer has the status " + answer.status() + " " + text);
        }
        if (answer.status() >= 300) {
          LOG.log(
              Level.WARNING,
              "The master does not take a call: {0} {1}",
              new Object[] {answer.status(), text});
        }
      }
    } catch (IOException e) {
      if (!closed) {
        LOG.log(
            Level.WARNING,
            "Calls to {0} fail: {1}",
            new Object[] {stream.connection.endpoint(), e});
      }
      hangUp();
      // What the master knows is not known any more: start again.
      stream.connection.close();
    } finally {
      batch.forEach(it -> it.sent.ifPresent(CountDownLatch::countDown));
    }
  }

  private Connection sending(Stream stream) throws IOException {
    URI endpoint = stream.connection.endpoint();
    Connection connection = sending.get();
    if (connection != null && connection.isOpen() && connection.endpoint().equals(endpoint)) {
      return connection;
    }
    hangUp();
    connection = Connection.to(endpoint);
    sending.set(connection);
    if (closed) {
      throw new IOException("closed");
    }
    connection.open(tls, CALL_MS);
    return connection;
  }

  private void hangUp() {
    Connection connection = sending.getAndSet(null);
    if (connection != null) {
      connection.close();
    }
  }
}
