package org.mezzo.agent.registration;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import org.mezzo.agent.modules.ClusterModules;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.leaders.LeaderAddress;
import org.mezzo.daemon.leaders.LeaderDetection;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.link.LinkClient;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;
import org.mezzo.link.messages.Pong;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the agent registered with the leading master: asks what to show it, connects, registers and
 * tries again with backoff (rule 133), and starts over when the connection or the master's pings
 * are lost (rule 141). For the event loop only.
 */
public final class MasterLink implements LeaderDetection.Listener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MasterLink.class);
  private static final Duration LONGEST_BACKOFF = Duration.ofMinutes(1);

  /** The agent behind the link; called on the loop. */
  public interface Listener {
    /** What to send to register: a Register, or a Reregister once there is an id. */
    AgentCall.Builder registration();

    /** The master has registered the agent under this id. */
    void registered(String agentId);

    /** There is no master that the agent is registered with any more. */
    void disconnected();

    /** Anything else that the master sent. */
    void event(MasterEvent event);
  }

  private final LinkClient client;
  private final Executor loop;
  private final BiFunction<Duration, Runnable, Timer> timers;
  private final RandomGenerator random;
  private final Duration backoffFactor;
  private final LinkCredentials credentials;
  private final Listener listener;
  private final String processId = UUID.randomUUID().toString();

  private volatile Optional<InetSocketAddress> leader = Optional.empty();

  /** The leader, as whoever named it describes it. */
  private MasterInfo master = MasterInfo.getDefaultInstance();

  /** What is to be shown for the next connection; done while nobody is asked. */
  private CompletableFuture<Map<String, String>> shown =
      CompletableFuture.completedFuture(Map.of());

  private LinkClient.Connection connection;
  private long epoch;
  private long firstAttempt;
  private volatile boolean registered;
  private boolean closed;
  private Duration backoff;

  /** Whether the last link ended by a refusal; a welcome is not taken for success then. */
  private boolean refused;

  /** Why the last link ended that was not registered; empty when the last one was. */
  private String problem = "";

  private Duration pingTimeout = Duration.ofSeconds(75);
  private Timer attempt = () -> {};
  private Timer pingTimer = () -> {};

  /**
   * Waits for a leader.
   *
   * @param credentials what is shown to masters; asked before each connection
   */
  public MasterLink(
      LinkClient client,
      Executor loop,
      BiFunction<Duration, Runnable, Timer> timers,
      RandomGenerator random,
      Duration backoffFactor,
      LinkCredentials credentials,
      Listener listener) {
    this.client = client;
    this.loop = loop;
    this.timers = timers;
    this.random = random;
    this.backoffFactor = backoffFactor;
    this.credentials = credentials;
    this.listener = listener;
    this.backoff = backoffFactor;
  }

  @Override
  public void leader(Optional<MasterInfo> next) {
    if (closed) {
      return;
    }
    leader = next.map(LeaderAddress::of);
    master = next.orElse(MasterInfo.getDefaultInstance());
    if (leader.isEmpty()) {
      LOG.info("No leading master is known; waiting for one");
    } else {
      LOG.info("The leading master is at {}", leader.get());
    }
    refused = false;
    backoff = backoffFactor;
    drop("the leader changed");
    // The link is opened while the first wait passes.
    firstAttempt = System.nanoTime() + upTo(backoffFactor).toNanos();
    connect();
  }

  @Override
  public void described(MasterInfo same) {
    // After a refusal it may be another one that is tried.
    if (leader.equals(Optional.of(LeaderAddress.of(same)))) {
      master = same;
    }
  }

  private void connect() {
    if (closed || leader.isEmpty() || connection != null || !shown.isDone()) {
      return;
    }
    long mine = ++epoch;
    shown = credentials.of(master);
    shown.whenComplete(
        (fields, failure) ->
            handOver(
                mine,
                () -> {
                  if (failure == null) {
                    open(mine, fields);
                  } else {
                    LOG.debug("Nothing to show the master", failure);
                    tell(failure.getMessage());
                    retryConnect();
                  }
                }));
  }

  private void open(long mine, Map<String, String> fields) {
    Hello hello =
        Hello.newBuilder()
            .setConnectionEpoch(mine)
            .setProcessId(processId)
            .setSoftwareVersion(Versions.MEZZO)
            .addCapabilities(ClusterModules.CAPABILITY)
            .build();
    connection =
        client.connect(
            leader.orElseThrow(),
            Optional.empty(),
            fields,
            hello,
            new LinkClient.Listener() {
              @Override
              public void opened(Welcome welcome) {
                handOver(mine, () -> welcomed(welcome));
              }

              @Override
              public void refused(Refusal refusal) {
                handOver(mine, () -> turnedAway(refusal));
              }

              @Override
              public void event(MasterEvent event) {
                handOver(mine, () -> received(event));
              }

              @Override
              public void closed(String reason) {
                handOver(
                    mine,
                    () -> {
                      if (!refused) {
                        tell(reason);
                      }
                      drop(reason);
                      retryConnect();
                    });
              }
            });
  }

  /** What keeps the agent from its master is told once, however often it is tried. */
  private void tell(String reason) {
    if (!registered && !reason.equals(problem)) {
      LOG.warn("Not linked to the master at {}: {}", leader.orElse(null), reason);
      problem = reason;
    }
  }

  private void handOver(long mine, Runnable task) {
    loop.execute(
        () -> {
          if (mine == epoch && !closed) {
            task.run();
          }
        });
  }

  private void welcomed(Welcome welcome) {
    LOG.info(
        "Connected to master {} (Mezzo {})", welcome.getMasterId(), welcome.getSoftwareVersion());
    if (!refused) {
      backoff = backoffFactor;
    }
    attempt.cancel();
    long rest = firstAttempt - System.nanoTime();
    attempt = timers.apply(rest > 0 ? Duration.ofNanos(rest) : Duration.ZERO, this::register);
    armPingTimer();
  }

  private void register() {
    if (registered || connection == null || closed) {
      return;
    }
    connection.send(listener.registration());
    backoff = doubled(backoff);
    attempt = timers.apply(upTo(backoff), this::register);
  }

  private void turnedAway(Refusal refusal) {
    LOG.warn("The master at {} refused this agent: {}", leader.orElse(null), refusal.getReason());
    refused = true;
    if (refusal.hasLeader()) {
      leader = Optional.of(LeaderAddress.of(refusal.getLeader()));
      master = refusal.getLeader();
    }
    drop(refusal.getReason());
    retryConnect();
  }

  private void retryConnect() {
    if (leader.isPresent()) {
      attempt.cancel();
      Duration wait = upTo(backoff);
      firstAttempt = System.nanoTime() + wait.toNanos();
      attempt = timers.apply(wait, this::connect);
      backoff = doubled(backoff);
    }
  }

  private static Duration doubled(Duration wait) {
    Duration twice = wait.multipliedBy(2);
    return twice.compareTo(LONGEST_BACKOFF) > 0 ? LONGEST_BACKOFF : twice;
  }

  private Duration upTo(Duration most) {
    return Duration.ofNanos((long) (random.nextDouble() * most.toNanos()));
  }

  private void received(MasterEvent event) {
    switch (event.getEventCase()) {
      case REGISTERED:
        registered(
            event.getRegistered().getAgentId().getValue(),
            event.getRegistered().getTotalPingTimeoutSeconds());
        break;
      case REREGISTERED:
        registered(
            event.getReregistered().getAgentId().getValue(),
            event.getReregistered().getTotalPingTimeoutSeconds());
        break;
      case PING:
        ping(event.getPing());
        break;
      case SHUTDOWN:
        listener.event(event);
        break;
      default:
        if (registered) {
          listener.event(event);
        } else {
          LOG.warn(
              "Ignored {} from the master: this agent is not registered", event.getEventCase());
        }
    }
  }

  private void registered(String agentId, double pingTimeoutSeconds) {
    if (pingTimeoutSeconds > 0) {
      pingTimeout = Duration.ofMillis((long) (pingTimeoutSeconds * 1000));
    }
    attempt.cancel();
    refused = false;
    problem = "";
    backoff = backoffFactor;
    armPingTimer();
    if (!registered) {
      registered = true;
      listener.registered(agentId);
    }
  }

  private void ping(Ping ping) {
    armPingTimer();
    send(AgentCall.newBuilder().setPong(Pong.newBuilder().setSequence(ping.getSequence())));
    if (registered && ping.hasConnected() && !ping.getConnected()) {
      LOG.warn("The master regards this agent as disconnected; registering again");
      again();
    }
  }

  /** Registers anew on the connection that is there. */
  private void again() {
    registered = false;
    listener.disconnected();
    backoff = backoffFactor;
    attempt.cancel();
    attempt = timers.apply(upTo(backoffFactor), this::register);
  }

  private void armPingTimer() {
    pingTimer.cancel();
    long mine = epoch;
    pingTimer =
        timers.apply(
            pingTimeout,
            () -> {
              if (mine == epoch && !closed) {
                LOG.warn(
                    "No ping from the master for {} s; connecting anew", pingTimeout.toSeconds());
                drop("no ping");
                retryConnect();
              }
            });
  }

  private void drop(String reason) {
    epoch++;
    attempt.cancel();
    pingTimer.cancel();
    shown.cancel(true);
    if (connection != null) {
      connection.close();
      connection = null;
    }
    if (registered) {
      LOG.info("No longer connected to the master: {}", reason);
      registered = false;
      listener.disconnected();
    }
  }

  /** Sends to the master; false when there is no connection. */
  public boolean send(AgentCall.Builder call) {
    return connection != null && connection.send(call);
  }

  /** Whether the master knows this agent, as far as this agent knows. Safe for any thread. */
  public boolean registered() {
    return registered;
  }

  /** Where the leading master is, as far as known. Safe for any thread. */
  public Optional<InetSocketAddress> leader() {
    return leader;
  }

  @Override
  public void close() {
    drop("the agent stops");
    closed = true;
  }
}
