package org.mezzo.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;

/** Has daemons change or look at their modules, and tells what becomes of that. */
final class ModuleRequests {
  private static final int CONFLICT = 409;

  private final DaemonTarget target;
  private final HttpJson http;

  ModuleRequests(DaemonTarget target) throws FlagException {
    this.target = target;
    http = new HttpJson(target.credential());
  }

  /** What is done with what a daemon answers; says whether it is as was wanted. */
  @FunctionalInterface
  interface Told {
    boolean by(String daemon, Map<String, Object> answer);
  }

  /**
   * Asks each daemon, one after the other, also when one refuses.
   *
   * @param path below {@code /mezzo/modules/}
   * @return 0 when all are as was wanted
   * @throws HostException when a daemon does not answer, or serves no such thing
   */
  int ask(String path, Map<String, String> query, Optional<Path> jar, Told told)
      throws HostException, FlagException, InterruptedException {
    return each(path, url -> http.post(url, query, jar, Set.of(CONFLICT)), told);
  }

  /** Has each daemon make a change that a form describes, and prints what came of it. */
  int changeBy(String path, Map<String, String> form)
      throws HostException, FlagException, InterruptedException {
    return each(path, url -> http.postForm(url, form, Set.of(CONFLICT)), ModuleRequests::print);
  }

  private interface Post {
    Map<String, Object> to(String url) throws IOException;
  }

  private int each(String path, Post post, Told told)
      throws HostException, FlagException, InterruptedException {
    boolean wanted = true;
    try {
      for (Map.Entry<String, String> daemon : target.daemons(http).entrySet()) {
        String url = "http://" + daemon.getValue() + "/mezzo/modules/" + path;
        wanted &= told.by(daemon.getKey(), post.to(url));
      }
    } catch (IOException e) {
      throw new HostException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
    return wanted ? 0 : Mezzo.FAILURE;
  }

  /** Has each daemon make a change, and prints what came of it. */
  int change(String path, Map<String, String> query, Optional<Path> jar)
      throws HostException, FlagException, InterruptedException {
    return ask(path, query, jar, ModuleRequests::print);
  }

  private static boolean print(String daemon, Map<String, Object> answer) {
    Map<String, Object> action = HttpJson.asObject(answer.get("action"));
    boolean succeeded = Boolean.TRUE.equals(action.get("succeeded"));
    String from = String.valueOf(action.get("from"));
    String to = String.valueOf(action.get("to"));
    (succeeded ? System.out : System.err)
        .printf(
            "%s: %s %s%s%s%s (%s ms, gap %s ms)%n",
            daemon,
            action.get("action"),
            action.get("name"),
            from.isEmpty() && to.isEmpty()
                ? ""
                : " " + (from.isEmpty() || to.isEmpty() ? from + to : from + " -> " + to),
            succeeded ? ": " : " FAILED: ",
            action.get("outcome"),
            action.get("took_ms"),
            action.get("gap_ms"));
    return succeeded;
  }
}
