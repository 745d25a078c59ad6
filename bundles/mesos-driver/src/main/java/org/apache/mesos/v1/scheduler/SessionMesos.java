package org.apache.mesos.v1.scheduler;

import java.io.Closeable;
import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.mesos.v1.Protos.Credential;
import org.mezzo.driver.leaders.Leaders;
import org.mezzo.driver.schedulers.Framework;
import org.mezzo.driver.sessions.Client;
import org.mezzo.driver.sessions.Environment;
import org.mezzo.driver.sessions.Session;
import org.mezzo.driver.sessions.Tls;
import org.mezzo.driver.wire.MessageReader;
import org.mezzo.driver.wire.MessageWriter;

/**
 * Calls and events by a session with the leading master. Callbacks are made one after the other on
 * one daemon thread and under no lock. Thread-safe.
 */
abstract class SessionMesos implements Mesos, Closeable {
  private static final Logger LOG = Logger.getLogger(SessionMesos.class.getName());
  private static final String PATH = "/api/v1/scheduler";

  /** How long what was sent before the end may take to get to the master. */
  private static final long FLUSH_MS = 10_000;

  private static final int TYPE_OF_CALL = 2;
  private static final int SUBSCRIBE = 1;
  private static final int SUBSCRIBED = 1;
  private static final int ERROR = 7;

  private enum State {
    /** No master is known. */
    DISCONNECTED,
    /** One is, and waits for SUBSCRIBE. */
    CONNECTED,
    /** SUBSCRIBE is on its way, or answered. */
    SUBSCRIBING,
    /** The master has refused for good. */
    REFUSED,
    CLOSED
  }

  private final Scheduler scheduler;
  private final String master;
  private final Tls tls;
  private final Map<String, String> headers;

  /** That which subscribes whatever the call says of it; none when the call says it. */
  private final Optional<Framework> framework;

  private final Object lock = new Object();
  private State state = State.DISCONNECTED;
  private Session session;

  /**
   * One that is started.
   *
   * @throws IllegalArgumentException when there can be no such master; the message names the remedy
   */
  SessionMesos(
      Scheduler scheduler,
      String master,
      Optional<Credential> credential,
      Optional<Framework> framework) {
    this.scheduler = present(scheduler, "scheduler");
    this.master = present(master, "master");
    this.framework = framework;
    Map<String, String> environment = System.getenv();
    Environment.tellIgnored(environment);
    try {
      this.tls = Tls.of(environment);
      this.headers =
          credential.isPresent()
              ? Environment.authorization(credential.get().toByteArray())
              : Collections.emptyMap();
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    synchronized (lock) {
      this.session = opened();
    }
  }

  static <T> T present(T argument, String name) {
    if (argument == null) {
      throw new NullPointerException("Not expecting a null " + name);
    }
    return argument;
  }

  private Session opened() {
    Session opened =
        new Session(PATH, Leaders.of(master, tls.scheme()), tls, headers, new Callbacks());
    opened.start();
    return opened;
  }

  private Session session() {
    synchronized (lock) {
      return session;
    }
  }

  /** A call that comes when its time is not, as the one to subscribe again, is dropped. */
  @Override
  public void send(Protos.Call call) {
    byte[] encoded = call.toByteArray();
    boolean sent = type(encoded) == SUBSCRIBE ? subscribe(encoded) : session().send(encoded);
    if (!sent) {
      LOG.log(Level.WARNING, "A call {0} is dropped: it is not its time", call.getType());
    }
  }

  private static long type(byte[] encoded) {
    try {
      return new MessageReader(encoded).number(TYPE_OF_CALL, 0);
    } catch (IOException e) {
      throw new IllegalArgumentException("a call that cannot be read", e);
    }
  }

  private boolean subscribe(byte[] encoded) {
    synchronized (lock) {
      if (state != State.CONNECTED) {
        return false;
      }
      state = State.SUBSCRIBING;
      session.subscribe(framework.map(Framework::subscribe).orElse(encoded));
      return true;
    }
  }

  /** Ends the connection for another one, or tries again what the master has refused. */
  @Override
  public void reconnect() {
    synchronized (lock) {
      if (state == State.REFUSED) {
        session.close();
        state = State.DISCONNECTED;
        session = opened();
      } else if (state == State.CONNECTED) {
        // Nothing is sent yet that could be ended.
        state = State.DISCONNECTED;
        Session same = session;
        same.callback(() -> callBack(() -> scheduler.disconnected(this)));
        same.callback(this::connected);
      } else {
        session.reconnect();
      }
    }
  }

  /**
   * Sends what is to be sent and ends the connection, as the original does when it is collected.
   * Its framework goes on until its failover timeout; TEARDOWN ends it.
   */
  @Override
  public void close() {
    session().flush(FLUSH_MS);
    end();
  }

  private void end() {
    synchronized (lock) {
      state = State.CLOSED;
      session.close();
    }
  }

  private boolean enter(State next) {
    synchronized (lock) {
      if (state != State.CLOSED) {
        state = next;
      }
      return state == next;
    }
  }

  private void connected() {
    if (enter(State.CONNECTED)) {
      callBack(() -> scheduler.connected(this));
    }
  }

  /** Has the scheduler called. One that throws ends the connection. */
  private void callBack(Callback callback) {
    try {
      callback.run();
    } catch (IOException e) {
      LOG.log(Level.SEVERE, "What the master sent cannot be read; the connection ends", e);
      end();
    } catch (RuntimeException | Error e) {
      LOG.log(Level.SEVERE, "The scheduler threw in a callback; the connection ends", e);
      end();
    }
  }

  private interface Callback {
    void run() throws IOException;
  }

  private final class Callbacks implements Client {
    @Override
    public void connected() {
      SessionMesos.this.connected();
    }

    @Override
    public void received(byte[] event) {
      callBack(
          () -> {
            MessageReader read = new MessageReader(event);
            if (framework.isPresent() && read.number(1, 0) == SUBSCRIBED) {
              framework.get().id(read.message(2).required(1));
            }
            scheduler.received(SessionMesos.this, Protos.Event.parseFrom(event));
          });
    }

    @Override
    public void disconnected() {
      if (enter(State.DISCONNECTED)) {
        callBack(() -> scheduler.disconnected(SessionMesos.this));
      }
    }

    @Override
    public void refused(int status, String message) {
      if (enter(State.REFUSED)) {
        String why =
            status == 401
                ? message
                    + " (status 401). The credential was not taken; the master's --credentials or"
                    + " its authenticator have to know it"
                : message + " (status " + status + ")";
        MessageWriter error =
            new MessageWriter().number(1, ERROR).message(8, new MessageWriter().text(1, why));
        callBack(
            () -> scheduler.received(SessionMesos.this, Protos.Event.parseFrom(error.toBytes())));
      }
    }
  }
}
