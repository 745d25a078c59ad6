package org.mezzo.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpHandler;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.JettyConnectors;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;
import org.mezzo.link.messages.Pong;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Shutdown;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.link.messages.Unregister;
import org.mezzo.link.messages.Welcome;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

class LinkTest {
  private static final Hello HELLO =
      Hello.newBuilder().setConnectionEpoch(7).setProcessId("agent-process").build();

  private final Links.Server server = Links.server();
  private final Links.Client client = Links.client();
  private final LinkedBlockingQueue<Opened> opened = new LinkedBlockingQueue<>();
  private final LinkedBlockingQueue<Throwable> faults = new LinkedBlockingQueue<>();
  private HttpConnector connector;

  @BeforeEach
  void start() throws Exception {
    connector =
        new JettyConnectors()
            .open(
                new ConnectorOptions(
                    "test",
                    InetAddress.getLoopbackAddress(),
                    0,
                    Optional.empty(),
                    8,
                    Duration.ofSeconds(30)),
                authenticated(
                    new LinkServer.Acceptor() {
                      @Override
                      public void opened(
                          LinkServer.Session session, Hello hello, Optional<String> principal) {
                        opened.add(new Opened(session, hello, principal));
                      }

                      @Override
                      public void failed(LinkServer.Session session, Throwable cause) {
                        faults.add(cause);
                      }
                    }));
  }

  /** As the master's border does, which has looked at what the agent shows. */
  private HttpHandler authenticated(LinkServer.Acceptor acceptor) {
    LinkServer.Entrance entrance = server.entrance(acceptor);
    return exchange -> {
      Optional<String> shown = exchange.header("Authorization");
      if (shown.equals(Optional.of("wrong"))) {
        exchange.respond(HttpResponse.text(401, "401 Unauthorized."));
      } else {
        entrance.handle(exchange, shown);
      }
    };
  }

  private static Map<String, String> shown(String authorization) {
    return Map.of("Authorization", authorization);
  }

  @Test
  void whatAnAgentShowsSaysWhoItIs() throws Exception {
    client.connect(connector.address(), Optional.empty(), shown("anna"), HELLO, new Agent());
    assertThat(opened().principal).contains("anna");
    client.connect(connector.address(), HELLO, new Agent());
    assertThat(opened().principal).isEmpty();

    Agent refused = new Agent();
    client.connect(connector.address(), Optional.empty(), shown("wrong"), HELLO, refused);
    assertThat(refused.next().toString()).contains("demands credentials", "--credential");
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
    connector.close();
  }

  @Test
  void callsGoUpAndEventsComeDownInOrder() throws Exception {
    Agent agent = new Agent();
    LinkClient.Connection link = client.connect(connector.address(), HELLO, agent);
    Opened session = opened();
    assertThat(session.hello.getConnectionEpoch()).isEqualTo(7);
    assertThat(session.hello.getMajor()).isEqualTo(1);
    Master master = new Master();
    session.session.accept(Welcome.newBuilder().setMasterId("m").build(), master);
    assertThat(agent.next())
        .isEqualTo(
            Welcome.newBuilder()
                .setMasterId("m")
                .setMajor(1)
                .setMinor(2)
                .setConnectionEpoch(7)
                .build());

    for (int i = 1; i <= 5000; i++) {
      link.send(AgentCall.newBuilder().setPong(Pong.newBuilder().setSequence(i)));
      session.session.send(MasterEvent.newBuilder().setPing(Ping.newBuilder().setSequence(i)));
    }

    for (int i = 1; i <= 5000; i++) {
      AgentCall call = (AgentCall) master.next();
      assertThat(call.getNumber()).isEqualTo(i);
      assertThat(call.getPong().getSequence()).isEqualTo(i);
      MasterEvent event = (MasterEvent) agent.next();
      assertThat(event.getNumber()).isEqualTo(i);
      assertThat(event.getPing().getSequence()).isEqualTo(i);
    }
  }

  /** Whoever sends is an event loop: what it sends is encoded and written by others. */
  @Test
  void senderNeitherEncodesNorWrites() throws Exception {
    Agent agent = new Agent();
    LinkClient.Connection link = client.connect(connector.address(), HELLO, agent);
    Opened session = opened();
    Master master = new Master();
    session.session.accept(Welcome.getDefaultInstance(), master);
    agent.next();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    String text = "x".repeat(8 << 20);
    TaskStatus status =
        TaskStatus.newBuilder()
            .setTaskId(TaskID.newBuilder().setValue("t"))
            .setState(TaskState.TASK_RUNNING)
            .setMessage(text)
            .build();

    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 3; i++) {
      link.send(
          AgentCall.newBuilder().setStatusUpdate(StatusUpdate.newBuilder().setStatus(status)));
      session.session.send(
          MasterEvent.newBuilder().setShutdown(Shutdown.newBuilder().setMessage(text)));
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;

    assertThat(allocated).as("bytes the sender made").isLessThan(text.length());
    for (int i = 1; i <= 3; i++) {
      assertThat(((AgentCall) master.next()).getNumber()).isEqualTo(i);
      assertThat(((MasterEvent) agent.next()).getNumber()).isEqualTo(i);
    }
  }

  @Test
  void largeMessagesPassBothWays() throws Exception {
    Agent agent = new Agent();
    LinkClient.Connection link = client.connect(connector.address(), HELLO, agent);
    Opened session = opened();
    Master master = new Master();
    session.session.accept(Welcome.getDefaultInstance(), master);
    agent.next();
    String text = "x".repeat(9_000_000);

    link.send(
        AgentCall.newBuilder()
            .setStatusUpdate(
                StatusUpdate.newBuilder()
                    .setStatus(
                        TaskStatus.newBuilder()
                            .setTaskId(TaskID.newBuilder().setValue("t"))
                            .setState(TaskState.TASK_RUNNING)
                            .setMessage(text))));
    session.session.send(
        MasterEvent.newBuilder().setShutdown(Shutdown.newBuilder().setMessage(text)));

    assertThat(((AgentCall) master.next()).getStatusUpdate().getStatus().getMessage())
        .isEqualTo(text);
    assertThat(((MasterEvent) agent.next()).getShutdown().getMessage()).isEqualTo(text);
  }

  @Test
  void whatIsQueuedGoesUpBeforeTheAgentCloses() throws Exception {
    Agent agent = new Agent();
    LinkClient.Connection link = client.connect(connector.address(), HELLO, agent);
    Master master = new Master();
    opened().session.accept(Welcome.getDefaultInstance(), master);
    agent.next();

    link.send(AgentCall.newBuilder().setUnregister(Unregister.getDefaultInstance()));
    link.close();

    assertThat(((AgentCall) master.next()).hasUnregister()).isTrue();
    assertThat(master.next()).isEqualTo("closed: closed by the agent");
    assertThat(agent.next()).isEqualTo("closed: closed by the agent");
    assertThat(link.send(AgentCall.newBuilder())).isFalse();
  }

  @Test
  void refusalIsToldAndCloses() throws Exception {
    Agent agent = new Agent();
    client.connect(connector.address(), HELLO, agent);

    opened().session.refuse(Refusal.newBuilder().setReason("another leads").build());

    assertThat(agent.next()).isEqualTo(Refusal.newBuilder().setReason("another leads").build());
    assertThat(agent.next()).isEqualTo("closed: refused: another leads");
  }

  @Test
  void otherMajorVersionIsRefused() throws Exception {
    Agent agent = new Agent();

    client.connect(connector.address(), HELLO.toBuilder().setMajor(2).setMinor(3).build(), agent);

    assertThat(((Refusal) agent.next()).getReason()).contains("speaks version 2.3").contains("1.2");
    assertThat(opened).isEmpty();
  }

  @Test
  void masterClosesAndTheAgentLearnsAfterTheLastEvent() throws Exception {
    Agent agent = new Agent();
    client.connect(connector.address(), HELLO, agent);
    Opened session = opened();
    Master master = new Master();
    session.session.accept(Welcome.getDefaultInstance(), master);
    agent.next();

    session.session.send(MasterEvent.newBuilder().setShutdown(Shutdown.getDefaultInstance()));
    session.session.close();

    assertThat(((MasterEvent) agent.next()).hasShutdown()).isTrue();
    assertThat(agent.next().toString()).startsWith("closed: ");
    assertThat(master.next().toString()).startsWith("closed: ");
    assertThat(session.session.send(MasterEvent.newBuilder())).isFalse();
  }

  @Test
  void masterThatGoesAwayIsNoticed() throws Exception {
    Agent agent = new Agent();
    client.connect(connector.address(), HELLO, agent);
    opened().session.accept(Welcome.getDefaultInstance(), new Master());
    agent.next();

    connector.close();

    assertThat(agent.next().toString()).startsWith("closed: ");
  }

  @Test
  void agentThatGoesAwayIsNoticed() throws Exception {
    Links.Client other = Links.client();
    Agent agent = new Agent();
    other.connect(connector.address(), HELLO, agent);
    Master master = new Master();
    opened().session.accept(Welcome.getDefaultInstance(), master);
    agent.next();

    other.close();

    assertThat(master.next().toString()).startsWith("closed: ");
  }

  @Test
  void nobodyListeningIsTold() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Agent agent = new Agent();

    client.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), HELLO, agent);

    assertThat(agent.next().toString()).startsWith("closed: cannot connect to ");
  }

  @Test
  void serverThatIsNoMasterIsTold() throws Exception {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Agent agent = new Agent();
      client.connect((InetSocketAddress) socket.getLocalSocketAddress(), HELLO, agent);
      try (Socket accepted = socket.accept()) {
        accepted.getOutputStream().write("SSH-2.0-whatever\r\n".getBytes(StandardCharsets.UTF_8));
      }
      assertThat(agent.next().toString()).startsWith("closed: ");
    }
  }

  @Test
  void manyAgentsShareAClient() throws Exception {
    List<Agent> agents = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      Agent agent = new Agent();
      agents.add(agent);
      client.connect(connector.address(), HELLO, agent);
    }
    List<Opened> sessions = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      Opened session = opened();
      sessions.add(session);
      session.session.accept(Welcome.getDefaultInstance(), new Master());
    }
    for (Opened session : sessions) {
      session.session.send(MasterEvent.newBuilder().setPing(Ping.getDefaultInstance()));
    }
    for (Agent agent : agents) {
      assertThat(agent.next()).isInstanceOf(Welcome.class);
      assertThat(agent.next()).isInstanceOf(MasterEvent.class);
    }
  }

  /** A listener that fails breaks its own link and no other. */
  @Test
  void aFaultWhileACallIsTakenEndsThatLinkOnly() throws Exception {
    Agent healthy = new Agent();
    client.connect(connector.address(), HELLO, healthy);
    Opened other = opened();
    other.session.accept(Welcome.getDefaultInstance(), new Master());
    healthy.next();
    Agent agent = new Agent();
    LinkClient.Connection link = client.connect(connector.address(), HELLO, agent);
    LinkedBlockingQueue<String> closed = new LinkedBlockingQueue<>();
    opened()
        .session
        .accept(
            Welcome.getDefaultInstance(),
            new LinkServer.Listener() {
              @Override
              public void call(AgentCall call) {
                throw new IllegalStateException("meant");
              }

              @Override
              public void closed(String reason) {
                closed.add(reason);
              }
            });
    agent.next();

    link.send(AgentCall.newBuilder().setPong(Pong.getDefaultInstance()));

    assertThat(closed.poll(60, TimeUnit.SECONDS))
        .contains("a fault of the master")
        .contains("meant");
    assertThat(faults.poll(60, TimeUnit.SECONDS)).hasMessage("meant");
    assertThat(agent.next().toString()).startsWith("closed: ");
    other.session.send(MasterEvent.newBuilder().setPing(Ping.getDefaultInstance()));
    assertThat(((MasterEvent) healthy.next()).hasPing()).isTrue();
  }

  @Test
  void aWelcomeToAnotherConnectionOfTheAgentIsNotTaken() throws Exception {
    Agent agent = new Agent();
    client.connect(connector.address(), HELLO, agent);
    Opened session = opened();
    session.session.accept(Welcome.newBuilder().setConnectionEpoch(6).build(), new Master());

    assertThat(agent.next().toString()).contains("welcomed connection 6 of this agent, this is 7");
  }

  @Test
  void aRefusalMayComeAfterTheWelcome() throws Exception {
    Agent agent = new Agent();
    client.connect(connector.address(), HELLO, agent);
    Opened session = opened();
    Master master = new Master();
    session.session.accept(Welcome.getDefaultInstance(), master);
    agent.next();

    session.session.refuse(Refusal.newBuilder().setReason("not admitted").build());

    assertThat(((Refusal) agent.next()).getReason()).isEqualTo("not admitted");
    assertThat(agent.next()).isEqualTo("closed: refused: not admitted");
    assertThat(master.next().toString()).startsWith("closed: ");
  }

  private Opened opened() throws Exception {
    Opened session = opened.poll(60, TimeUnit.SECONDS);
    assertThat(session).as("a session").isNotNull();
    return session;
  }

  private record Opened(LinkServer.Session session, Hello hello, Optional<String> principal) {}

  private abstract static class Recorder {
    private final LinkedBlockingQueue<Object> seen = new LinkedBlockingQueue<>();

    void add(Object what) {
      seen.add(what);
    }

    Object next() throws Exception {
      Object what = seen.poll(60, TimeUnit.SECONDS);
      assertThat(what).as("something").isNotNull();
      return what;
    }
  }

  private static final class Agent extends Recorder implements LinkClient.Listener {
    @Override
    public void opened(Welcome welcome) {
      add(welcome);
    }

    @Override
    public void refused(Refusal refusal) {
      add(refusal);
    }

    @Override
    public void event(MasterEvent event) {
      add(event);
    }

    @Override
    public void closed(String reason) {
      add("closed: " + reason);
    }
  }

  private static final class Master extends Recorder implements LinkServer.Listener {
    @Override
    public void call(AgentCall call) {
      add(call);
    }

    @Override
    public void closed(String reason) {
      add("closed: " + reason);
    }
  }
}
