package org.mezzo.itests.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.chaos.ChaosFramework.Kind;

/**
 * Agents, spawners, shims, executors and masters of a cluster are killed while tasks run, and
 * nothing is lost: each task reaches one end that its framework is told, updates come complete and
 * in order, and nothing is left on the machine that nobody owns. Short by default; the profile
 * {@code chaos} makes it long.
 */
class ChaosIT {
  private static final int TASKS = Integer.getInteger("mezzo.chaos.tasks", 150);
  private static final int KILLS = Integer.getInteger("mezzo.chaos.kills", 15);
  private static final Duration LIMIT = Duration.ofSeconds(180 + 5L * KILLS + TASKS);

  /** Of a hundred tasks. */
  private static final Map<Kind, Integer> SHARES =
      new EnumMap<>(Map.of(Kind.COMMANDS, 45, Kind.GROUPS, 22, Kind.CUSTOM, 18, Kind.PLAIN, 15));

  /** Stays after a failure, with the logs of all daemons. */
  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path folder;

  private final List<ChaosFramework> frameworks = new ArrayList<>();
  private ChaosCluster cluster;

  /** The launcher of the agents; empty for the one that they choose. */
  String launcher() {
    return "";
  }

  @BeforeEach
  void start() throws Exception {
    cluster = new ChaosCluster(folder, launcher());
    cluster.start();
  }

  @AfterEach
  void stop() throws Exception {
    for (ChaosFramework framework : frameworks) {
      framework.close();
    }
    cluster.close();
  }

  private void begin(Mayhem mayhem, long seed, int tasks, Predicate<JsonNode> swallowed) {
    SHARES.forEach(
        (kind, share) ->
            frameworks.add(
                new ChaosFramework(
                    kind,
                    cluster.masterUris(),
                    mayhem,
                    seed,
                    ((tasks * share + 99) / 100 + 1) / 2 * 2,
                    swallowed)));
  }

  private int ended() {
    return frameworks.stream().mapToInt(ChaosFramework::ended).sum();
  }

  private void awaitEnds(Mayhem mayhem) {
    try {
      Await.until(
          "every task has ended",
          LIMIT,
          () -> {
            mayhem.turn(ended());
            return mayhem.over() && frameworks.stream().allMatch(ChaosFramework::over);
          });
    } catch (AssertionError e) {
      List<String> open = new ArrayList<>();
      frameworks.forEach(framework -> open.addAll(framework.unfinished()));
      throw new AssertionError(
          e.getMessage() + "; " + mayhem.done() + "; open: " + String.join("\n", open), e);
    }
    cluster.awaitAgents();
  }

  private List<String> faults(Mayhem mayhem) {
    List<String> faults = new ArrayList<>(mayhem.faults());
    frameworks.forEach(framework -> faults.addAll(framework.faults()));
    return faults;
  }

  private void awaitNothingLeft() throws Exception {
    for (ChaosFramework framework : frameworks) {
      framework.tearDown();
    }
    try {
      Await.until("nothing is left", Duration.ofSeconds(60), () -> cluster.leftovers().isEmpty());
    } catch (AssertionError e) {
      throw new AssertionError("left: " + String.join("\n", cluster.leftovers()), e);
    }
  }

  @Test
  void whateverIsKilledEveryTaskEndsOnceAndNothingIsLeft() throws Exception {
    long seed = Long.getLong("mezzo.chaos.seed", System.nanoTime());
    // Whoever reads of a failure has to know it.
    System.out.println(
        "ChaosIT: -Dit.test="
            + getClass().getSimpleName()
            + " -Dmezzo.chaos.seed="
            + seed
            + " -Dmezzo.chaos.tasks="
            + TASKS
            + " -Dmezzo.chaos.kills="
            + KILLS);
    Mayhem mayhem = new Mayhem(cluster, seed, KILLS, TASKS);
    long begin = System.nanoTime();
    begin(mayhem, seed, TASKS, status -> false);
    awaitEnds(mayhem);
    long seconds = Duration.ofNanos(System.nanoTime() - begin).toSeconds();
    List<String> faults = faults(mayhem);
    System.out.println("ChaosIT: " + ended() + " tasks in " + seconds + " s; " + mayhem.done());
    frameworks.forEach(
        framework ->
            System.out.println(
                "ChaosIT: "
                    + framework.ends()
                    + " in "
                    + framework.subscriptions()
                    + " subscriptions"));
    assertThat(faults).isEmpty();
    awaitNothingLeft();
    assertThat(faults(mayhem)).isEmpty();
  }

  @Test
  void anUpdateThatIsLostAndWhatIsLeftAreNoticed() throws Exception {
    Mayhem mayhem = new Mayhem(cluster, 1, 0, 1);
    // Of those that are killed nobody knows whether they ran, so one lost update may be none.
    begin(mayhem, 1, 20, status -> status.path("state").asText().equals("TASK_RUNNING"));
    awaitEnds(mayhem);
    assertThat(faults(mayhem)).isNotEmpty().allMatch(fault -> fault.contains("were never told"));

    awaitNothingLeft();
    List<AutoCloseable> planted = cluster.plant();
    List<String> left = cluster.leftovers();
    for (AutoCloseable each : planted) {
      each.close();
    }
    assertThat(left).hasSize(planted.size());
  }
}
