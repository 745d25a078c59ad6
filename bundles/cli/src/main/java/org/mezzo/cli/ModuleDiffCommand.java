package org.mezzo.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.mezzo.host.HostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows in what the modules of daemons differ. */
@Command(
    name = "diff",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description =
        "Show in what the modules of the daemons of a cluster differ from each other and from what"
            + " came with the distribution.",
    footer = {
      "",
      "Ends with status 0 when nothing differs, else with 1. The leading master and all agents are",
      "asked, unless --agent names some; an agent that does not answer is said to be different."
    })
final class ModuleDiffCommand implements Callable<Integer> {
  private static final int SHORT_DIGEST = 12;
  private static final String SHIPPED = ", shipped";
  private static final String GONE = "shipped, not there";
  private static final String ABSENT = "not there";

  @Mixin private DaemonTarget target;

  @Override
  public Integer call() throws Exception {
    HttpJson http = new HttpJson(target.credential());
    Map<String, Map<String, String>> differing = new TreeMap<>();
    Set<String> daemons = new LinkedHashSet<>();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("BUNDLE", "WHAT", "DAEMONS"));
    try {
      for (Map.Entry<String, String> daemon : target.allDaemons(http).entrySet()) {
        try {
          collect(
              http.get("http://" + daemon.getValue() + "/mezzo/deployments"),
              daemon.getKey(),
              differing);
          daemons.add(daemon.getKey());
        } catch (IOException e) {
          rows.add(List.of("(all)", "cannot be asked: " + e.getMessage(), daemon.getKey()));
        }
      }
    } catch (IOException e) {
      throw new HostException("the modules cannot be compared: " + e.getMessage(), e);
    }
    differing.forEach((bundle, what) -> rows.addAll(rows(bundle, what, daemons)));
    if (rows.size() == 1) {
      System.out.println("Nothing differs.");
      return 0;
    }
    Table.print(rows);
    return Mezzo.FAILURE;
  }

  /** Notes what each bundle is for a daemon: the same text is the same. */
  private static void collect(
      Map<String, Object> answer, String daemon, Map<String, Map<String, String>> bundles) {
    // Of a distribution that does not know what it was shipped with nothing can be said.
    boolean known = !HttpJson.objects(answer, "shipped").isEmpty();
    Map<String, Object> missing = new LinkedHashMap<>();
    HttpJson.objects(answer, "shipped")
        .forEach(jar -> missing.put(String.valueOf(jar.get("digest")), jar.get("file")));
    for (Map<String, Object> bundle : HttpJson.objects(answer, "deployments")) {
      String digest = String.valueOf(bundle.get("digest"));
      missing.remove(digest);
      String state = String.valueOf(bundle.get("state"));
      bundles
          .computeIfAbsent(String.valueOf(bundle.get("name")), name -> new LinkedHashMap<>())
          .merge(
              daemon,
              "%s %s%s%s"
                  .formatted(
                      bundle.get("version"),
                      digest.substring(0, Math.min(SHORT_DIGEST, digest.length())),
                      !known ? "" : (boolean) bundle.get("shipped") ? SHIPPED : ", not shipped",
                      state.equals("active") ? "" : ", " + state),
              (one, other) -> one + "; " + other);
    }
    missing
        .values()
        .forEach(
            file ->
                bundles
                    .computeIfAbsent(String.valueOf(file), name -> new LinkedHashMap<>())
                    .put(daemon, GONE));
  }

  /** The rows of a bundle; none when all daemons have it as it was shipped. */
  private static List<List<String>> rows(
      String bundle, Map<String, String> byDaemon, Set<String> daemons) {
    Map<String, List<String>> byText = new LinkedHashMap<>();
    // What was shipped stands under its file's name, which only those have that lack it.
    boolean gone = byDaemon.containsValue(GONE);
    for (String daemon : gone ? byDaemon.keySet() : daemons) {
      byText
          .computeIfAbsent(byDaemon.getOrDefault(daemon, ABSENT), text -> new ArrayList<>())
          .add(daemon);
    }
    if (byText.size() == 1 && isUsual(byText.keySet().iterator().next())) {
      return List.of();
    }
    List<List<String>> rows = new ArrayList<>();
    byText.forEach((text, having) -> rows.add(List.of(bundle, text, String.join(", ", having))));
    return rows;
  }

  private static boolean isUsual(String text) {
    return text.endsWith(SHIPPED) || !text.contains(",");
  }
}
