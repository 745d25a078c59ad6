package org.mezzo.agent;

import com.google.protobuf.ByteString;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpHandler;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.JettyConnectors;
import org.mezzo.link.LinkServer;
import org.mezzo.link.Links;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.link.messages.Welcome;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.TaskState;

/** The master's end of a real link: registers whoever comes and keeps what it is told. */
final class FakeMaster implements AutoCloseable, LinkServer.Acceptor {
  final BlockingQueue<StatusUpdate> updates = new LinkedBlockingQueue<>();
  final BlockingQueue<OperationUpdate> outcomes = new LinkedBlockingQueue<>();

  /** The first of each link: an agent asks again when the answer takes longer than its patience. */
  final BlockingQueue<AgentCall> registrations = new LinkedBlockingQueue<>();

  private final Set<LinkServer.Session> registered = ConcurrentHashMap.newKeySet();

  /** Updates that were acknowledged at once. */
  private final Set<ByteString> known = ConcurrentHashMap.newKeySet();

  /** Updates that a test has got. */
  private final Set<ByteString> seen = ConcurrentHashMap.newKeySet();

  /** What executors tell. */
  final BlockingQueue<AgentCall> told = new LinkedBlockingQueue<>();

  /** What it is told to be lent. */
  final BlockingQueue<UpdateAgent> lent = new LinkedBlockingQueue<>();

  /** The header fields of each request to open a link. */
  final BlockingQueue<Map<String, List<String>>> shown = new LinkedBlockingQueue<>();

  /** Whom it opens a link for; others are answered with 401. */
  volatile Predicate<Map<String, List<String>>> lets = fields -> true;

  final List<LinkServer.Session> sessions = new CopyOnWriteArrayList<>();
  volatile boolean acknowledges = true;
  volatile double pingTimeoutSeconds = 75;

  /** Which requests to register are answered. */
  volatile Predicate<AgentCall> answers = call -> true;

  private final Links.Server server = Links.server();
  private final HttpConnector connector;

  FakeMaster() throws Exception {
    LinkServer.Entrance entrance = server.entrance(this);
    HttpHandler handler =
        exchange -> {
          shown.add(exchange.headers());
          if (lets.test(exchange.headers())) {
            entrance.handle(exchange, Optional.empty());
          } else {
            exchange.respond(HttpResponse.text(401, "401 Unauthorized."));
          }
        };
    connector =
        new JettyConnectors()
            .open(
                new ConnectorOptions(
                    "fake-master",
                    InetAddress.getLoopbackAddress(),
                    0,
                    Optional.empty(),
                    8,
                    Duration.ofMinutes(1)),
                handler);
  }

  InetSocketAddress address() {
    return connector.address();
  }

  @Override
  public void opened(LinkServer.Session session, Hello hello, Optional<String> principal) {
    sessions.add(session);
    session.accept(
        Welcome.newBuilder().setMasterId("m").build(),
        new LinkServer.Listener() {
          @Override
          public void call(AgentCall call) {
            received(session, call);
          }

          @Override
          public void closed(String reason) {
            sessions.remove(session);
          }
        });
  }

  private void received(LinkServer.Session session, AgentCall call) {
    if ((call.hasRegister() || call.hasReregister()) && !answers.test(call)) {
      return;
    }
    AgentID id = AgentID.newBuilder().setValue("m-S0").build();
    switch (call.getCallCase()) {
      case REGISTER:
        MasterEvent.Builder welcomed = MasterEvent.newBuilder();
        welcomed
            .getRegisteredBuilder()
            .setAgentId(id)
            .setTotalPingTimeoutSeconds(pingTimeoutSeconds);
        session.send(welcomed);
        register(session, call);
        break;
      case REREGISTER:
        MasterEvent.Builder again = MasterEvent.newBuilder();
        again
            .getReregisteredBuilder()
            .setAgentId(call.getReregister().getAgent().getId())
            .setTotalPingTimeoutSeconds(pingTimeoutSeconds);
        session.send(again);
        register(session, call);
        break;
      case STATUS_UPDATE:
        // Who has seen the update can decide on the next one only.
        boolean acknowledged = acknowledges;
        // What was acknowledged comes again only where that was still on its way.
        if (!acknowledged || known.add(call.getStatusUpdate().getStatus().getUuid())) {
          updates.add(call.getStatusUpdate());
        }
        if (acknowledged) {
          acknowledge(call.getStatusUpdate());
        }
        break;
      case OPERATION_UPDATE:
        outcomes.add(call.getOperationUpdate());
        break;
      case UPDATE_AGENT:
        lent.add(call.getUpdateAgent());
        break;
      case EXECUTOR_EXITED:
      case FRAMEWORK_MESSAGE:
      case UNREGISTER:
        told.add(call);
        break;
      default:
        break;
    }
  }

  private void register(LinkServer.Session session, AgentCall call) {
    if (registered.add(session)) {
      registrations.add(call);
    }
  }

  void acknowledge(StatusUpdate update) {
    MasterEvent.Builder event = MasterEvent.newBuilder();
    event
        .getAcknowledgeUpdateBuilder()
        .setFrameworkId(update.getFrameworkId())
        .setTaskId(update.getStatus().getTaskId())
        .setUuid(update.getStatus().getUuid());
    send(event);
  }

  /** The next outcome of an operation. */
  OperationUpdate outcome() throws InterruptedException {
    OperationUpdate outcome = outcomes.poll(60, TimeUnit.SECONDS);
    if (outcome == null) {
      throw new AssertionError("no outcome of an operation came");
    }
    return outcome;
  }

  void send(MasterEvent.Builder event) {
    sessions.get(sessions.size() - 1).send(event);
  }

  StatusUpdate next() throws InterruptedException {
    StatusUpdate update = updates.poll(60, TimeUnit.SECONDS);
    if (update == null) {
      throw new AssertionError("no update came");
    }
    seen.add(update.getStatus().getUuid());
    return update;
  }

  /** The next one, but for those that come again as nobody has acknowledged them in time. */
  StatusUpdate next(TaskState state) throws InterruptedException {
    while (true) {
      Set<ByteString> before = Set.copyOf(seen);
      StatusUpdate update = next();
      if (update.getStatus().getState() == state) {
        return update;
      }
      if (!before.contains(update.getStatus().getUuid())) {
        throw new AssertionError("expected " + state + " but got " + update);
      }
    }
  }

  @Override
  public void close() {
    connector.close(Duration.ZERO);
    server.close();
  }
}
