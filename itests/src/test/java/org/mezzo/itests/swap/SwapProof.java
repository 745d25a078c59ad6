package org.mezzo.itests.swap;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployments;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.osgi.ClusterInside;
import org.mezzo.modules.Kind;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleLeases;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Swaps a module of each kind again and again where daemons really call it, while clients ask for
 * what needs it, and counts what clients and modules have seen. Each swap meets a call that has
 * begun and, where calls of the kind can queue up, one that waits. On an idle cluster one client
 * asks for one thing at a time, and a swap meets what it meets.
 */
final class SwapProof implements AutoCloseable {
  /** The name of every module, but for those whose name says what they serve. */
  static final String NAME = "swap";

  /** The name of the module of a kind. */
  static String name(Kind<?> kind) {
    return kind == Kinds.CHECKER ? "tcp" : NAME;
  }

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** What is aimed at: gaps of clients, without what the proof adds to them. */
  private static final int MEDIAN_MILLIS = 20;

  private static final int LONGEST_MILLIS = 100;

  /** What came of swapping one kind. Times are in milliseconds. */
  record Row(
      String kind,
      int swaps,
      int calls,
      int duringSwaps,
      List<String> failures,
      List<Integer> gaps,
      List<Integer> rests,
      double rate,
      int unmet) {
    int median() {
      return median(gaps);
    }

    int longest() {
      return longest(gaps);
    }

    /** Of what is left of gaps without the time for which the proof itself held calls. */
    int medianRest() {
      return median(rests);
    }

    int longestRest() {
      return longest(rests);
    }

    private static int median(List<Integer> all) {
      return all.isEmpty() ? 0 : all.stream().sorted().toList().get(all.size() / 2);
    }

    private static int longest(List<Integer> all) {
      return all.stream().mapToInt(it -> it).max().orElse(0);
    }

    /** What was aimed at and not reached; empty when all was. */
    List<String> missed() {
      List<String> missed = new ArrayList<>();
      if (!failures.isEmpty()) {
        missed.add(failures.size() + " failures");
      }
      if (medianRest() >= MEDIAN_MILLIS) {
        missed.add("a median of " + medianRest() + " ms");
      }
      if (longestRest() >= LONGEST_MILLIS) {
        missed.add("a longest gap of " + longestRest() + " ms");
      }
      return missed;
    }
  }

  private static final Map<String, String> MASTER =
      Map.of(
          Kinds.ALLOCATOR.flags().get(Role.MASTER),
          NAME,
          Kinds.HOOK.flags().get(Role.MASTER),
          NAME,
          Kinds.HTTP_AUTHENTICATOR.flags().get(Role.MASTER),
          NAME,
          Kinds.AUTHORIZER.flags().get(Role.MASTER),
          NAME,
          Kinds.ANONYMOUS.flags().get(Role.MASTER),
          NAME,
          Kinds.MASTER_CONTENDER.flags().get(Role.MASTER),
          NAME,
          "authenticate_http_readonly",
          "true",
          "acls",
          "{}");

  private static final Map<String, String> AGENT =
      Map.ofEntries(
          Map.entry(Kinds.HOOK.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.ISOLATOR.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.CONTAINER_LOGGER.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.SECRET_RESOLVER.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.SECRET_GENERATOR.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.RESOURCE_ESTIMATOR.flags().get(Role.AGENT), NAME),
          Map.entry("oversubscribed_resources_interval", "100ms"),
          Map.entry(Kinds.QOS_CONTROLLER.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.ANONYMOUS.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.MASTER_DETECTOR.flags().get(Role.AGENT), NAME),
          Map.entry(Kinds.AUTHENTICATEE.flags().get(Role.AGENT), NAME),
          Map.entry("resources", "cpus:100;mem:100000;disk:100000"));

  /** What the master counts when an agent comes, or comes again. */
  private static final List<String> LINKS =
      List.of("messages_register_slave", "messages_reregister_slave", "slave_removals");

  /** Kinds that work without being asked. */
  private static final Set<Kind<?>> UNASKED =
      Set.of(Kinds.ANONYMOUS, Kinds.MASTER_DETECTOR, Kinds.MASTER_CONTENDER);

  /** Kinds of which nothing is asked before the last question is answered. */
  private static final Set<Kind<?>> ASKED_ALONE =
      Set.of(Kinds.RESOURCE_ESTIMATOR, Kinds.QOS_CONTROLLER);

  /** The version that waits for no call when it is opened. */
  private static final int NONE = -1;

  private static final String MISSED = "allocator/mezzo/calls_failed";

  private final Path jars;
  private final Deployments deployments;
  private final ModuleLeases leases;
  private final int swaps;
  private final Leaks leaks;
  private final boolean idle;
  private final SwapWitness witness;
  private final ClusterInside cluster;
  private final Tasks tasks;

  /**
   * Installs the first versions and starts a cluster that uses them.
   *
   * @param jars as {@link SwapBundles} builds them
   * @param swaps of each kind
   * @param fetch how long a fetch takes
   * @param leaks is shown each version once it is in use
   * @param idle whether the cluster has next to nothing to do
   */
  SwapProof(
      Path jars,
      ConfigurationAdmin configurations,
      Deployments deployments,
      ModuleLeases leases,
      int swaps,
      Duration fetch,
      Leaks leaks,
      boolean idle)
      throws Exception {
    this.jars = jars;
    this.deployments = deployments;
    this.leases = leases;
    this.swaps = swaps;
    this.leaks = leaks;
    this.idle = idle;
    configurations
        .getConfiguration("org.mezzo.deployment", "?")
        .update(new Hashtable<>(Map.of("probationMillis", 20L, "startTimeoutMillis", 40_000L)));
    witness = new SwapWitness(this::backlog);
    for (Kind<?> kind : Kinds.all()) {
      Action action =
          deployments.install(jar(jars, kind, 0)).toCompletableFuture().get(60, TimeUnit.SECONDS);
      if (!action.succeeded()) {
        throw new AssertionError(action.outcome());
      }
    }
    cluster = ClusterInside.start(configurations, leases, MASTER, AGENT);
    try {
      tasks = new Tasks(cluster.master(), fetch, idle);
    } catch (AssertionError | IOException e) {
      cluster.close();
      throw e;
    }
  }

  static String bundle(Kind<?> kind) {
    return "org.mezzo.itests.swap." + kind.name().replace('-', '.');
  }

  /** The jar of one version. */
  static Path jar(Path folder, Kind<?> kind, int version) {
    return folder.resolve(kind.name() + "-" + version + ".jar");
  }

  private double linksMade() throws IOException {
    double made = 0;
    for (String name : LINKS) {
      made += cluster.metric("master/" + name);
    }
    return made;
  }

  /** The names of the numbers that modules of the proof have, and their leases. */
  Set<String> metrics() throws IOException {
    Set<String> names = new TreeSet<>();
    cluster.snapshot().fieldNames().forEachRemaining(names::add);
    names.removeIf(name -> !name.startsWith("modules/") || !name.contains("/" + NAME + "/"));
    return names;
  }

  private int backlog(String kind, String daemon) {
    return leases.leases().stream()
        .filter(lease -> lease.kind().equals(kind) && lease.daemon().equals(daemon))
        .mapToInt(LeaseDescription::backlog)
        .sum();
  }

  /** Proves one kind after the other. */
  List<Row> rows(List<Kind<?>> kinds) throws Exception {
    List<Row> rows = new ArrayList<>();
    for (Kind<?> kind : kinds) {
      double links = linksMade();
      double missed = cluster.metric(MISSED);
      Row row = row(kind);
      if (cluster.metric(MISSED) > missed) {
        row.failures.add(cluster.metric(MISSED) - missed + " calls of the allocator failed");
      }
      double more = linksMade() - links;
      if (more != 0) {
        row.failures.add(more + " links of agents were made anew");
      }
      rows.add(row);
    }
    tasks.killAll();
    Optional<Row> isolators =
        rows.stream().filter(it -> it.kind.equals(Kinds.ISOLATOR.name())).findAny();
    if (isolators.isPresent() && isolators.get().failures.isEmpty()) {
      awaitCleanup(isolators.get());
    }
    return rows;
  }

  private void awaitCleanup(Row isolators) {
    try {
      Await.until("isolators have cleaned up", PATIENCE, () -> witness.known(isolators.kind) == 0);
    } catch (AssertionError e) {
      isolators.failures.add(witness.known(isolators.kind) + " containers were not cleaned up");
    }
  }

  private Row row(Kind<?> kind) throws Exception {
    if (kind == Kinds.HTTP_AUTHENTICATOR || kind == Kinds.AUTHORIZER) {
      try (Requests requests = new Requests(cluster.master().resolve("/flags"), idle)) {
        return swap(kind, requests.operations, 100);
      }
    }
    if (ASKED_ALONE.contains(kind) || kind == Kinds.ANONYMOUS) {
      // Nobody waits for these; what is lent is shown all the time.
      try (Requests requests = new Requests(cluster.master().resolve("/slaves"), idle)) {
        return swap(kind, requests.operations, 100);
      }
    }
    if (kind == Kinds.AUTHENTICATEE) {
      // Agents, whose links last, are asked no more; they have to stay linked all the same.
      try (Questions questions = new Questions(leases, idle)) {
        return swap(kind, questions.operations, 20);
      }
    }
    tasks.launch(mode(kind));
    Operations launches = tasks.launches();
    if (kind == Kinds.CHECKER) {
      // These tasks last, and offers come steadily only once the first of them have ended.
      launches.awaitMore(40);
    }
    Row row = swap(kind, kind == Kinds.ALLOCATOR ? tasks.offers() : launches, 3);
    tasks.pause();
    row.failures.addAll(launches.failures());
    if (kind == Kinds.FETCHER && witness.calls(kind.name(), "fetch") != tasks.files()) {
      row.failures.add(
          witness.calls(kind.name(), "fetch") - tasks.files() + " fetches were made twice");
    }
    return row;
  }

  private static Tasks.Mode mode(Kind<?> kind) {
    if (kind == Kinds.FETCHER) {
      return Tasks.Mode.FETCHES;
    }
    if (kind == Kinds.CHECKER) {
      return Tasks.Mode.CHECKED;
    }
    return kind == Kinds.SECRET_GENERATOR ? Tasks.Mode.EXECUTORS : Tasks.Mode.BURSTS;
  }

  /**
   * Swaps.
   *
   * @param each so many operations succeed between two swaps
   */
  private Row swap(Kind<?> kind, Operations operations, int each) throws Exception {
    operations.awaitMore(each);
    long usual = operations.usual();
    int before = witness.calls(kind.name());
    // Fetches are bounded before they get to the lease, and a burst of launches is less than what
    // a logger, a resolver, a generator or a checker takes at a time, so that none ever waits
    // there.
    boolean queues =
        kind != Kinds.FETCHER
            && kind != Kinds.CONTAINER_LOGGER
            && kind != Kinds.SECRET_RESOLVER
            && kind != Kinds.SECRET_GENERATOR
            && kind != Kinds.CHECKER
            && !ASKED_ALONE.contains(kind)
            && !UNASKED.contains(kind);
    int using =
        kind == Kinds.AUTHENTICATEE
            ? 1
            : (int)
                leases.leases().stream()
                    .filter(it -> it.kind().equals(kind.name()) && it.name().equals(name(kind)))
                    .count();
    List<Integer> gaps = new ArrayList<>();
    List<Integer> rests = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    int succeededBefore = operations.count();
    long first = System.nanoTime();
    int during = 0;
    int unmet = 0;
    for (int version = 1; version <= swaps; version++) {
      witness.expect(kind.name(), idle ? NONE : version, queues);
      int callsBefore = witness.calls(kind.name());
      long begin = System.nanoTime();
      Action action =
          deployments
              .swap(jar(jars, kind, version))
              .toCompletableFuture()
              .get(120, TimeUnit.SECONDS);
      long end = System.nanoTime();
      during += witness.calls(kind.name()) - callsBefore;
      if (!action.succeeded()) {
        failures.add("the swap to " + version + " failed: " + action.outcome());
      }
      int now = version;
      if (UNASKED.contains(kind)) {
        // Nobody waits for the end of the one before.
        Await.until(
            "only " + version + " is alive",
            PATIENCE,
            () -> witness.aloneAlive(kind.name(), now, using));
      }
      int met = witness.served(version);
      unmet += idle ? 0 : using - met;
      operations.awaitMore(each);
      Await.until(
          "calls come to " + kind.name() + " " + version,
          PATIENCE,
          () -> witness.calls(kind.name(), now) > 0);
      leaks.seen(bundle(kind));
      long gap = operations.gap(begin, end, usual);
      gaps.add((int) (gap / 1_000_000));
      rests.add((int) (Math.max(0, gap - witness.heldNanos()) / 1_000_000));
    }
    double rate = (operations.count() - succeededBefore) * 1e9 / (System.nanoTime() - first);
    witness.over();
    failures.addAll(operations.failures());
    failures.addAll(witness.faults(kind.name()));
    return new Row(
        kind.name(),
        swaps,
        witness.calls(kind.name()) - before,
        during,
        failures,
        gaps,
        rests,
        rate,
        unmet);
  }

  /** The rows as a table of Markdown. */
  static String table(List<Row> rows) {
    StringBuilder table =
        new StringBuilder(
            "| kind | swaps | operations a second | calls | calls during swaps | failures | median"
                + " gap | longest gap |\n|---|---|---|---|---|---|---|---|\n");
    for (Row row : rows) {
      table.append(
          String.format(
              Locale.ROOT,
              "| `%s` | %d | %.0f | %d | %d | %d | %d ms (%d ms) | %d ms (%d ms) |%n",
              row.kind,
              row.swaps,
              row.rate,
              row.calls,
              row.duringSwaps,
              row.failures.size(),
              row.median(),
              row.medianRest(),
              row.longest(),
              row.longestRest()));
    }
    return table.toString();
  }

  /** Which aims were met, a line for each kind that met not all of them. */
  static String aims(List<Row> rows) {
    StringBuilder text = new StringBuilder();
    for (Row row : rows) {
      if (!row.missed().isEmpty()) {
        text.append(row.kind + " misses its aims: " + String.join(", ", row.missed()) + "\n");
      }
    }
    return text.isEmpty() ? "All kinds meet their aims.\n" : text.toString();
  }

  /** What went wrong, shortened. */
  static String failures(List<Row> rows) {
    StringBuilder text = new StringBuilder();
    for (Row row : rows) {
      row.failures.stream()
          .limit(5)
          .map(it -> row.kind + ": " + it.substring(0, Math.min(it.length(), 300)) + "\n")
          .forEach(text::append);
    }
    return text.toString();
  }

  /** Prints the table, and leaves it in that file of the build's folder. */
  static void print(String title, List<Row> rows, String file) throws IOException {
    String table = table(rows);
    System.out.println(title + "\n\n" + table + aims(rows) + failures(rows));
    Files.writeString(Path.of(System.getProperty("mezzo.build"), file), table);
  }

  @Override
  public void close() throws Exception {
    try {
      tasks.close();
    } finally {
      cluster.close();
      for (Kind<?> kind : Kinds.all()) {
        deployments.uninstall(bundle(kind)).toCompletableFuture().get(60, TimeUnit.SECONDS);
      }
      witness.close();
    }
  }
}
