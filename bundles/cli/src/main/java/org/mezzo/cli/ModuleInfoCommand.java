package org.mezzo.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.mezzo.host.HostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Shows all that daemons know of one module. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Show all that is known of a module: bundle, users, problems, history.")
final class ModuleInfoCommand implements Callable<Integer> {
  private static final int LAST_CHANGES = 5;

  @Mixin private DaemonTarget target;

  @Parameters(
      paramLabel = "NAME",
      description = "The symbolic name of its bundle, or the name of a module in it.")
  private String name;

  @Override
  public Integer call() throws Exception {
    HttpJson http = new HttpJson(target.credential());
    boolean found = false;
    TreeSet<String> others = new TreeSet<>();
    try {
      for (Map.Entry<String, String> daemon : target.daemons(http).entrySet()) {
        String place = "http://" + daemon.getValue();
        Map<String, Object> deployed = http.get(place + "/mezzo/deployments");
        Map<String, Object> modules = http.get(place + "/mezzo/modules");
        for (Map<String, Object> bundle : HttpJson.objects(deployed, "deployments")) {
          if (isMeant(bundle)) {
            found = true;
            print(daemon.getKey(), bundle, deployed, modules);
          } else {
            others.add(String.valueOf(bundle.get("name")));
          }
        }
      }
    } catch (IOException e) {
      throw new HostException("the module is not known: " + e.getMessage(), e);
    }
    if (!found) {
      System.err.println(
          "mezzo: no module is called " + name + "; there are " + String.join(", ", others));
      return Mezzo.FAILURE;
    }
    return 0;
  }

  private boolean isMeant(Map<String, Object> bundle) {
    return name.equals(bundle.get("name"))
        || texts(bundle.get("modules")).stream().anyMatch(module -> module.endsWith(" " + name));
  }

  private static void print(
      String daemon,
      Map<String, Object> bundle,
      Map<String, Object> deployed,
      Map<String, Object> modules) {
    Object name = bundle.get("name");
    System.out.println(daemon + ": " + name + " " + bundle.get("version"));
    line("state", bundle.get("state"));
    line("problem", bundle.get("problem"));
    line("sha-256", bundle.get("digest"));
    line("origin", Boolean.TRUE.equals(bundle.get("shipped")) ? "distribution" : "");
    line("file", bundle.get("file"));
    for (Map<String, Object> module : HttpJson.objects(modules, "modules")) {
      if (name.equals(HttpJson.asObject(module.get("bundle")).get("name"))) {
        List<String> users = texts(module.get("daemons"));
        line(
            "module",
            "%s %s, %s%s"
                .formatted(
                    module.get("kind"),
                    module.get("name"),
                    module.get("state"),
                    users.isEmpty() ? "" : ", used by " + String.join(", ", users)));
        line("loggers", String.join(", ", texts(module.get("loggers"))));
        line("", module.get("problem"));
        line("not well", module.getOrDefault("illness", ""));
      }
    }
    for (Map<String, Object> verdict : HttpJson.objects(deployed, "verdicts")) {
      if (name.equals(verdict.get("name"))) {
        line(
            "verdict",
            "%s was %s: %s"
                .formatted(verdict.get("version"), verdict.get("verdict"), verdict.get("reason")));
      }
    }
    HttpJson.objects(deployed, "history").stream()
        .filter(action -> name.equals(action.get("name")))
        .limit(LAST_CHANGES)
        .forEach(action -> line("history", change(action)));
  }

  private static String change(Map<String, Object> action) {
    List<String> versions = new ArrayList<>();
    for (String field : List.of("from", "to")) {
      String version = String.valueOf(action.get(field));
      if (!version.isEmpty()) {
        versions.add(version);
      }
    }
    return "%s %s %s by %s: %s%s"
        .formatted(
            action.get("at"),
            action.get("action"),
            String.join(" -> ", versions),
            action.get("principal"),
            Boolean.TRUE.equals(action.get("succeeded")) ? "" : "FAILED: ",
            action.get("outcome"));
  }

  private static List<String> texts(Object list) {
    return list instanceof List<?> all ? all.stream().map(String::valueOf).toList() : List.of();
  }

  private static void line(String title, Object value) {
    String text = String.valueOf(value);
    if (!text.isEmpty()) {
      System.out.printf("  %-8s %s%n", title, text);
    }
  }
}
