package org.mezzo.benchmarks.loop;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.JettyConnectors;
import org.mezzo.master.Master;

/**
 * What pollers of {@code /state} cost, themselves and the event loop. A whole master on a real
 * port; in place of the cluster 100 emulated agents, 10 frameworks with 1,000 running tasks each
 * and 10 completed ones with as many. 1, 5, 10 and 20 clients ask 50 times each, and for three
 * seconds at least, over HTTP on loopback, for
 *
 * <ul>
 *   <li>the bytes of {@code /state} from a server that has nothing else to do, as the measure;
 *   <li>{@code /state} of a cluster that does not change;
 *   <li>the same with the tag of the answer before;
 *   <li>{@code /state} of a cluster in which one more framework is offered everything and declines
 *       it, again and again;
 *   <li>{@code /state} as an answer to each that nobody shares: the client gives each a name of its
 *       own, by {@code jsonp}. Five times each, or for three seconds.
 * </ul>
 *
 * <p>Arguments: {@code plain} asks for answers that are not compressed; a number, how often each
 * client asks instead of 50 times; {@code metrics} asks for the metrics of 3,000 agents with
 * 300,000 tasks instead, and for nothing else; {@code large} asks the same cluster for its state in
 * the ways there are, once it has changed, by one client and by ten that come together. Prints a
 * line for each: polls per second, median and 99th percentile of a poll, and of how long something
 * that the event loop is given every 2 ms waits until it has run.
 */
public final class PollersBenchmark implements AutoCloseable {
  private static final int AGENTS = 100;
  private static final int AGENTS_MEASURED = 3_000;
  private static final int FRAMEWORKS = 10;
  private static final int TASKS_PER_AGENT = 10;
  private static final int MEASURED_POLLS = 100;
  private static final int LARGE_ROUNDS = 5;
  private static final int LARGE_CLIENTS = 10;
  private static final int ROLES = 5;
  private static final int[] CLIENTS = {1, 5, 10, 20};
  private static final int UNSHARED_POLLS = 5;
  private static final Duration CHURN_PAUSE = Duration.ofMillis(50);
  private static final Duration QUIET = Duration.ofSeconds(5);

  /** So long at least clients poll, however quick they are: the loop is to be seen, too. */
  private static final Duration LEAST = Duration.ofSeconds(3);

  private static final double MILLI = 1e6;

  private final boolean compressed;
  private final int polls;
  private final int agents;
  private final int tasksPerFramework;
  private final EmulatedMaster emulated;
  private final EmulatedFramework.Counts counts;
  private final Master master;
  private final LoopProbe probe;
  private final HttpConnector measure;
  private volatile HttpResponse bytes = HttpResponse.status(503);

  private PollersBenchmark(boolean compressed, int polls, int agents) throws Exception {
    this.compressed = compressed;
    this.polls = polls;
    this.agents = agents;
    tasksPerFramework = agents * TASKS_PER_AGENT;
    emulated = new EmulatedMaster(Map.of("ip", "127.0.0.1", "port", "0"), new JettyConnectors());
    counts = emulated.counts;
    master = emulated.master;
    probe = new LoopProbe(master.loop());
    measure =
        new JettyConnectors()
            .open(
                new ConnectorOptions(
                    "measure",
                    InetAddress.getLoopbackAddress(),
                    0,
                    Optional.empty(),
                    64,
                    Duration.ofMinutes(5)),
                exchange -> exchange.respond(bytes));
  }

  private EmulatedFramework framework(int number) throws Exception {
    EmulatedFramework framework = emulated.framework(Emulated.framework(number, ROLES));
    long before = counts.subscribed.get();
    framework.subscribe();
    Emulated.await("a subscription", () -> counts.subscribed.get() > before);
    // What it was offered meanwhile comes again when it revives.
    framework.declineAll();
    return framework;
  }

  /**
   * Fills the cluster.
   *
   * @param completed how many frameworks come and go before those that stay
   */
  private void fill(int completed) throws Exception {
    emulated.leases.register(new DrfRegistration(1));
    emulated.connect(emulated.agents(0, agents));
    Emulated.await("agents", () -> emulated.state().agents().size() == agents);
    for (int i = 0; i < completed + FRAMEWORKS; i++) {
      EmulatedFramework framework = framework(i);
      long before = counts.running.get();
      framework.launch(tasksPerFramework, TASKS_PER_AGENT);
      Emulated.await("tasks", () -> counts.running.get() - before >= tasksPerFramework);
      framework.suppress();
      framework.declineAll();
      Emulated.await("no offers", () -> emulated.state().offers().isEmpty());
      if (i < completed) {
        framework.tearDown();
        int over = i + 1;
        Emulated.await("an end", () -> emulated.state().completedFrameworks().size() == over);
      }
    }
  }

  private void runMetrics() throws Exception {
    fill(0);
    int port = master.address().getPort();
    System.out.printf(
        "%d agents, %d tasks, %d metrics%n%n",
        emulated.state().agents().size(),
        FRAMEWORKS * tasksPerFramework,
        master.metrics().snapshot().size());
    System.out.println(
        "| asked for | clients | polls/s | median | p99 | loop, p99 | loop, longest |\n"
            + "|---|---|---|---|---|---|---|");
    polled(port, 1, 20, (client, one) -> client.poll("/metrics/snapshot"));
    for (int clients : new int[] {1, 5}) {
      for (String path : new String[] {"/metrics/snapshot", "/metrics"}) {
        print(
            "`" + path + "`",
            clients,
            polled(port, clients, MEASURED_POLLS, (client, one) -> client.poll(path)));
      }
    }
  }

  private void run() throws Exception {
    fill(FRAMEWORKS);
    int port = master.address().getPort();
    byte[] body;
    try (PollingClient client = new PollingClient(port, false)) {
      body = client.body("/state");
    }
    HttpResponse plain = HttpResponse.json(body);
    bytes = compressed ? plain.compressed() : plain;
    System.out.printf(
        "%d agents, %d tasks; /state %.1f MB, as it is sent %.2f MB; %d polls of each client or"
            + " more%n%n",
        emulated.state().agents().size(),
        2 * FRAMEWORKS * tasksPerFramework,
        body.length / 1e6,
        bytes.body().length / 1e6,
        polls);
    System.out.println(
        "| asked for | clients | polls/s | median | p99 | loop, p99 | loop, longest |\n"
            + "|---|---|---|---|---|---|---|");
    // What runs for the first time is slow for everybody.
    polled(port, 2, 20, (client, one) -> client.poll("/state"));
    polled(port, 2, 20, (client, one) -> client.poll(own(one)));
    quiet("nothing");
    churning(() -> quiet("nothing, changing cluster"));
    for (int clients : CLIENTS) {
      print(
          "the same bytes, nothing to do but that",
          clients,
          polled(measure.address().getPort(), clients, polls, (client, one) -> client.poll("/")));
      print(
          "`/state`, unchanged",
          clients,
          polled(port, clients, polls, (client, one) -> client.poll("/state")));
      print(
          "the same with `If-None-Match`",
          clients,
          polled(port, clients, polls, (client, one) -> client.pollAgain("/state")));
      churning(
          () ->
              print(
                  "`/state`, changing",
                  clients,
                  polled(port, clients, polls, (client, one) -> client.poll("/state"))));
      print(
          "`/state`, one for each poll",
          clients,
          polled(port, clients, UNSHARED_POLLS, (client, one) -> client.poll(own(one))));
    }
  }

  private interface Asking {
    int ask(PollingClient client) throws IOException;
  }

  private void runLarge() throws Exception {
    fill(0);
    System.out.printf(
        "%d agents, %d tasks; heap of %d MB%n%n",
        emulated.state().agents().size(),
        FRAMEWORKS * tasksPerFramework,
        Runtime.getRuntime().maxMemory() >> 20);
    System.out.println(
        "| asked for | as it is sent | made, processor | one client: first, then median | ten"
            + " clients together: median, last | loop, p99 | loop, longest |\n"
            + "|---|---|---|---|---|---|");
    large("`/state`", client -> client.poll("/state"));
    for (String call : new String[] {"GET_STATE", "GET_TASKS", "GET_AGENTS", "GET_FRAMEWORKS"}) {
      large(call + ", JSON", client -> client.call(call, "application/json"));
    }
    large("GET_STATE, protobuf", client -> client.call("GET_STATE", "application/x-protobuf"));
  }

  /** One more framework comes and goes, so that what was answered before is not the answer now. */
  private void change() throws Exception {
    EmulatedFramework one = framework(2 * FRAMEWORKS);
    one.suppress();
    one.tearDown();
    String id = one.id();
    Emulated.await("an end", () -> !emulated.state().frameworks().containsKey(id));
    Emulated.await("no offers", () -> emulated.state().offers().isEmpty());
  }

  /** What the master's readers have had of the processors, those that are there now. */
  private static long readersNanos() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
        .filter(thread -> thread != null && thread.getThreadName().startsWith("master-reader"))
        .mapToLong(thread -> Math.max(0, threads.getThreadCpuTime(thread.getThreadId())))
        .sum();
  }

  private void large(String name, Asking asking) throws Exception {
    long[] alone = new long[LARGE_ROUNDS];
    long[] processor = new long[LARGE_ROUNDS];
    int size = 0;
    probe.take();
    for (int i = 0; i < LARGE_ROUNDS; i++) {
      change();
      try (PollingClient client = new PollingClient(master.address().getPort(), compressed)) {
        long begin = System.nanoTime();
        long before = readersNanos();
        size = asking.ask(client);
        alone[i] = System.nanoTime() - begin;
        processor[i] = readersNanos() - before;
      }
    }
    change();
    Queue<Long> nanos = new ConcurrentLinkedQueue<>();
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < LARGE_CLIENTS; i++) {
      Thread thread =
          Emulated.daemon(
              () -> {
                try (PollingClient client =
                    new PollingClient(master.address().getPort(), compressed)) {
                  long begin = System.nanoTime();
                  asking.ask(client);
                  nanos.add(System.nanoTime() - begin);
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              },
              "client");
      all.add(thread);
      thread.start();
    }
    for (Thread thread : all) {
      thread.join();
    }
    long first = alone[0];
    Arrays.sort(alone);
    Arrays.sort(processor);
    long[] together = nanos.stream().mapToLong(it -> it).sorted().toArray();
    long[] delays = probe.take();
    System.out.printf(
        "| %s | %.1f MB | %.2f s | %.2f s, %.2f s | %.2f s, %.2f s | %.1f ms | %.0f ms |%n",
        name,
        size / 1e6,
        at(processor, 0.5) / 1e3,
        first / 1e9,
        at(alone, 0.5) / 1e3,
        at(together, 0.5) / 1e3,
        at(together, 1) / 1e3,
        at(delays, 0.99),
        at(delays, 1));
  }

  private static String own(String poll) {
    return "/state?jsonp=f" + poll;
  }

  private interface Action {
    void run() throws Exception;
  }

  private void churning(Action action) throws Exception {
    EmulatedFramework churn = framework(2 * FRAMEWORKS);
    AtomicBoolean over = new AtomicBoolean();
    Thread thread =
        Emulated.daemon(
            () -> {
              try {
                while (!over.get()) {
                  churn.launch(0, 1);
                  Thread.sleep(CHURN_PAUSE.toMillis());
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "churn");
    thread.start();
    try {
      action.run();
    } finally {
      over.set(true);
      thread.join();
      churn.tearDown();
      String id = churn.id();
      Emulated.await("an end", () -> !emulated.state().frameworks().containsKey(id));
    }
  }

  private void quiet(String name) throws Exception {
    probe.take();
    Thread.sleep(QUIET.toMillis());
    long[] delays = probe.take();
    System.out.printf(
        "| %s | 0 | | | | %.2f ms | %.1f ms |%n", name, at(delays, 0.99), at(delays, 1));
  }

  private interface Poll {
    void run(PollingClient client, String name) throws IOException;
  }

  private record Polled(double perSecond, long[] nanos, long[] delays) {}

  private Polled polled(int port, int clients, int times, Poll poll) throws Exception {
    probe.take();
    Queue<Long> nanos = new ConcurrentLinkedQueue<>();
    Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    List<Thread> all = new ArrayList<>();
    long from = System.nanoTime();
    for (int i = 0; i < clients; i++) {
      int number = i;
      Thread thread =
          Emulated.daemon(
              () -> {
                try (PollingClient client = new PollingClient(port, compressed)) {
                  long begin = from;
                  for (int j = 0; j < times || begin - from < LEAST.toNanos(); j++) {
                    begin = System.nanoTime();
                    poll.run(client, number + "_" + begin);
                    nanos.add(System.nanoTime() - begin);
                  }
                } catch (IOException | RuntimeException e) {
                  failures.add(e);
                }
              },
              "client");
      all.add(thread);
      thread.start();
    }
    for (Thread thread : all) {
      thread.join();
    }
    double seconds = (System.nanoTime() - from) / 1e9;
    if (!failures.isEmpty()) {
      throw failures.remove();
    }
    long[] sorted = nanos.stream().mapToLong(it -> it).sorted().toArray();
    return new Polled(sorted.length / seconds, sorted, probe.take());
  }

  private static void print(String name, int clients, Polled polled) {
    System.out.printf(
        "| %s | %d | %.0f | %.1f ms | %.1f ms | %.2f ms | %.1f ms |%n",
        name,
        clients,
        polled.perSecond,
        at(polled.nanos, 0.5),
        at(polled.nanos, 0.99),
        at(polled.delays, 0.99),
        at(polled.delays, 1));
  }

  private static double at(long[] sorted, double share) {
    return sorted.length == 0
        ? 0
        : sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)] / MILLI;
  }

  @Override
  public void close() throws Exception {
    probe.close();
    measure.close(Duration.ZERO);
    emulated.close();
  }

  public static void main(String[] arguments) throws Exception {
    Emulated.logErrorsOnly();
    if (Arrays.asList(arguments).contains("metrics")) {
      try (PollersBenchmark benchmark = new PollersBenchmark(true, 0, AGENTS_MEASURED)) {
        benchmark.runMetrics();
      }
      System.exit(0);
    }
    boolean plain = Arrays.asList(arguments).contains("plain");
    if (Arrays.asList(arguments).contains("large")) {
      try (PollersBenchmark benchmark = new PollersBenchmark(!plain, 0, AGENTS_MEASURED)) {
        benchmark.runLarge();
      }
      System.exit(0);
    }
    int polls =
        Arrays.stream(arguments)
            .filter(it -> !it.equals("plain"))
            .mapToInt(Integer::parseInt)
            .findFirst()
            .orElse(50);
    try (PollersBenchmark benchmark = new PollersBenchmark(!plain, polls, AGENTS)) {
      benchmark.run();
    }
    System.exit(0);
  }
}
