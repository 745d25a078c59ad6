package org.mezzo.testing.contract;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.CheckResult.Kind;
import org.mezzo.api.checker.Checker;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.testing.FakeCheckRequest;

/**
 * The rules of {@link Checker}: it connects as it is told to and no other way, waits for no task,
 * says itself when a task does not answer in time, gives only what can come of a check of its type,
 * and leaves no connection. {@link ModuleContract} says how to extend it.
 */
public abstract class CheckerContract extends ParallelContract<Checker> {
  private static final Duration SHORT = Duration.ofMillis(200);
  private static final int MANY = 200;

  private Optional<HttpServer> server = Optional.empty();
  private Optional<ServerSocket> silent = Optional.empty();

  /** For subclasses. */
  protected CheckerContract() {}

  /** HTTP or TCP, whichever it checks. */
  protected abstract CheckInfo.Type type();

  /**
   * A request for a task that your checker takes for healthy. Without more: a server that answers
   * HTTP with 200, or takes a connection.
   */
  protected FakeCheckRequest healthy() throws Exception {
    return request(server().getAddress().getPort());
  }

  @Override
  Role role() {
    return Role.AGENT;
  }

  /** Whatever takes longer than that is waiting for a task. */
  @Override
  Duration deadline() {
    return Duration.ofSeconds(1);
  }

  @Override
  int callers() {
    return 32;
  }

  private FakeCheckRequest request(int port) {
    return type() == CheckInfo.Type.HTTP
        ? FakeCheckRequest.http(port, "/health")
        : FakeCheckRequest.tcp(port);
  }

  private synchronized HttpServer server() throws IOException {
    if (server.isEmpty()) {
      HttpServer made =
          HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 1_000);
      made.createContext(
          "/",
          exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write(new byte[] {'o', 'k'});
            exchange.close();
          });
      made.start();
      server = Optional.of(made);
    }
    return server.get();
  }

  /** Takes connections and says nothing. */
  private synchronized int silent() throws IOException {
    if (silent.isEmpty()) {
      silent = Optional.of(new ServerSocket(0, 1_000, InetAddress.getByName("127.0.0.1")));
    }
    return silent.get().getLocalPort();
  }

  /** Ends the servers of the kit. */
  @AfterEach
  public final synchronized void endServers() throws IOException {
    server.ifPresent(it -> it.stop(0));
    if (silent.isPresent()) {
      silent.get().close();
    }
  }

  @Override
  void use(Instance<Checker> checker, Random random) throws Exception {
    FakeCheckRequest request = healthy();
    CheckResult result = check(checker, request);
    boolean healthy =
        result.kind() == Kind.CONNECTED
            || result.kind() == Kind.ANSWERED && result.status() >= 200 && result.status() < 400;
    if (!healthy) {
      throw new AssertionError("Of a task that answers it says: " + result);
    }
    if (request.made() == 0) {
      throw new AssertionError(
          "It has not connected by CheckRequest.connect, and so perhaps in another network than"
              + " that of the task");
    }
  }

  private CompletableFuture<CheckResult> begin(
      Instance<Checker> checker, FakeCheckRequest request) {
    CompletionStage<CheckResult> stage = checker.ask("check", it -> it.check(request));
    return stage.toCompletableFuture();
  }

  private CheckResult check(Instance<Checker> checker, FakeCheckRequest request) throws Exception {
    CheckResult result = answer(begin(checker, request), request);
    awaitClosed(request);
    return result;
  }

  /** What comes of it no later than 5 seconds after its time, as an agent waits. */
  private CheckResult answer(CompletableFuture<CheckResult> begun, FakeCheckRequest request)
      throws Exception {
    CheckResult result;
    try {
      result = begun.get(request.timeout().plusSeconds(5).toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError(
          "It has not answered 5 s after the timeout of "
              + request.timeout().toMillis()
              + " ms: a task that does not answer in time is for the checker to say, by"
              + " CheckResult.failed",
          e);
    } catch (ExecutionException e) {
      throw new AssertionError(
          "Its stage failed, which is no verdict; say by CheckResult.failed what the task does not"
              + " do",
          e.getCause());
    }
    if (result == null) {
      throw new AssertionError("Its stage gave null, which counts as a defect");
    }
    Set<Kind> possible =
        type() == CheckInfo.Type.HTTP
            ? Set.of(Kind.ANSWERED, Kind.FAILED, Kind.REFUSED)
            : Set.of(Kind.CONNECTED, Kind.FAILED, Kind.REFUSED);
    if (!possible.contains(result.kind())) {
      throw new AssertionError(result + " does not come of a check of type " + type());
    }
    return result;
  }

  private static void awaitClosed(FakeCheckRequest request) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (request.open() > 0) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError(
            request.open()
                + " connections are open 10 s after a check has ended, when an agent closes them;"
                + " close what CheckRequest.connect gave");
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  /** Tasks that never answer hold up nobody: neither whoever calls nor other tasks. */
  @Test
  public void waitsForNoTask() throws Exception {
    Instance<Checker> checker = opened();
    List<FakeCheckRequest> requests = new ArrayList<>();
    List<CompletableFuture<CheckResult>> under = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      FakeCheckRequest request = request(silent()).unreachable().within(Duration.ZERO);
      requests.add(request);
      under.add(begin(checker, request));
    }
    use(checker, new Random(Seed.VALUE));
    under.forEach(it -> it.cancel(true));
    for (FakeCheckRequest request : requests) {
      awaitClosed(request);
    }
    checker.close();
  }

  /** Of a task to which there is no connection, and of one that says nothing. */
  @Test
  public void saysThatATaskDoesNotAnswerInTime() throws Exception {
    Instance<Checker> checker = opened();
    FakeCheckRequest unreachable = request(silent()).unreachable().within(SHORT);
    ill(unreachable, check(checker, unreachable));
    if (type() == CheckInfo.Type.HTTP) {
      FakeCheckRequest mute = request(silent()).within(SHORT);
      ill(mute, check(checker, mute));
    }
    checker.close();
  }

  /** Whoever takes a check back is not kept waiting, nor is its connection. */
  @Test
  public void endsWhatNobodyWaitsForAnyMore() throws Exception {
    Instance<Checker> checker = opened();
    FakeCheckRequest request = request(silent()).unreachable().within(Duration.ZERO);
    begin(checker, request).cancel(true);
    awaitClosed(request);
    use(checker, new Random(Seed.VALUE));
    checker.close();
  }

  /** Where nobody listens, and at ports that do not exist, a task is ill and the checker is not. */
  @Test
  public void takesEveryPort() throws Exception {
    Instance<Checker> checker = opened();
    int closed;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      closed = socket.getLocalPort();
    }
    for (int port : new int[] {closed, 0, -1, 65_536, Integer.MAX_VALUE}) {
      FakeCheckRequest request = request(port);
      ill(request, check(checker, request));
    }
    use(checker, new Random(Seed.VALUE));
    checker.close();
  }

  private static void ill(FakeCheckRequest request, CheckResult result) {
    if (result.kind() == Kind.CONNECTED || result.kind() == Kind.ANSWERED) {
      throw new AssertionError(
          "Of a task that does not answer at port " + request.port() + " it says: " + result);
    }
    if (result.reason().isBlank()) {
      throw new AssertionError(result + " does not say why, which people are told");
    }
  }
}
