package org.mezzo.cli;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;

/**
 * Asks the leading master about the module bundles of the whole cluster, and has it change them.
 */
final class ClusterModules implements AutoCloseable {
  private static final String PATH = "/mezzo/rollouts";
  private static final long LOOK_MILLIS = 300;

  /** How long no master may answer while a rollout is followed. */
  private static final long MOST_SILENT_NANOS = 120_000_000_000L;

  private final HttpJson http;
  private final Masters masters;

  ClusterModules(MasterTarget target) throws FlagException {
    http = new HttpJson(target.credential());
    masters = target.find();
  }

  private String url() throws IOException, InterruptedException {
    return "http://" + http.leader(masters.address()) + PATH;
  }

  /** How everything is. */
  Map<String, Object> get() throws IOException, InterruptedException {
    return http.get(url());
  }

  /**
   * Has something changed.
   *
   * @param what what is behind the path, with a slash; empty for a new rollout
   */
  Map<String, Object> post(String what, Map<String, String> query, Optional<Path> jar)
      throws IOException, InterruptedException {
    return http.post(url() + what, query, jar, Set.of());
  }

  /** What cannot be done, and why. */
  static HostException failed(String what, IOException why) {
    return new HostException(
        what
            + ": "
            + why.getMessage()
            + (why instanceof ConnectException
                ? "; --master=HOST:PORT or MEZZO_MASTER names a master that runs"
                : ""),
        why);
  }

  /**
   * Prints how a rollout goes on until it is over, also when another master leads meanwhile.
   *
   * @param answer what was answered when it was begun
   * @return the exit status: whether the cluster has what was wanted
   */
  int follow(Map<String, Object> answer) throws HostException, InterruptedException {
    long number = number(rollout(answer));
    Map<String, Object> now = answer;
    String last = "";
    long heard = System.nanoTime();
    while (true) {
      Map<String, Object> rollout = rollout(now);
      if (number(rollout) != number) {
        throw new HostException("another rollout was begun since: look at mezzo module status");
      }
      String line = line(now);
      if (!line.equals(last)) {
        System.out.println(line);
        last = line;
      }
      String state = String.valueOf(rollout.get("state"));
      if (state.equals("DONE")) {
        return 0;
      }
      if (state.equals("ROLLED_BACK")) {
        return Mezzo.FAILURE;
      }
      Thread.sleep(LOOK_MILLIS);
      try {
        now = get();
        heard = System.nanoTime();
      } catch (IOException e) {
        if (System.nanoTime() - heard > MOST_SILENT_NANOS) {
          throw failed("the rollout goes on, but nobody says how", e);
        }
      }
    }
  }

  private static Map<String, Object> rollout(Map<String, Object> answer) {
    return HttpJson.asObject(answer.get("rollout"));
  }

  private static long number(Map<String, Object> rollout) {
    Object number = HttpJson.asObject(rollout.get("to")).get("number");
    return number instanceof Number it ? it.longValue() : 0;
  }

  /** How far the last rollout is, in one line. */
  static String line(Map<String, Object> answer) {
    Map<String, Object> rollout = rollout(answer);
    long to = number(rollout);
    List<?> touched = rollout.get("touched") instanceof List<?> list ? list : List.of();
    List<Map<String, Object>> agents = concerned(answer, "agents");
    List<Map<String, Object>> masters = concerned(answer, "masters");
    List<String> counts = new ArrayList<>();
    if (masters.isEmpty() || !agents.isEmpty()) {
      counts.add(count(agents, to, "agents"));
    }
    if (!masters.isEmpty()) {
      counts.add(count(masters, to, "masters"));
    }
    long missing =
        Stream.concat(agents.stream(), masters.stream()).filter(it -> !connected(it)).count();
    String reason = String.valueOf(rollout.getOrDefault("reason", ""));
    return "generation %d %s: on %s, %d were told%s%s"
        .formatted(
            to,
            rollout.get("state"),
            String.join(" and ", counts),
            touched.size(),
            missing == 0 ? "" : ", " + missing + " without a link",
            reason.isEmpty() ? "" : "; " + reason);
  }

  /** Those whose modules the rollout changes; all where the master does not say. */
  private static List<Map<String, Object>> concerned(Map<String, Object> answer, String what) {
    return HttpJson.objects(answer, what).stream()
        .filter(it -> !Boolean.FALSE.equals(it.get("concerned")))
        .toList();
  }

  private static boolean connected(Map<String, Object> daemon) {
    return Boolean.TRUE.equals(daemon.get("connected"));
  }

  private static String count(List<Map<String, Object>> daemons, long to, String what) {
    return "%d of %d %s"
        .formatted(
            daemons.stream().filter(it -> connected(it) && isWell(it, to)).count(),
            daemons.stream().filter(ClusterModules::connected).count(),
            what);
  }

  private static boolean isWell(Map<String, Object> daemon, long to) {
    return daemon.get("generation") instanceof Number it
        && it.longValue() == to
        && HttpJson.objects(daemon, "modules").stream()
            .allMatch(
                module ->
                    List.of("ACTIVE", "OVERRIDDEN").contains(String.valueOf(module.get("state"))));
  }

  @Override
  public void close() {
    masters.close();
  }
}
