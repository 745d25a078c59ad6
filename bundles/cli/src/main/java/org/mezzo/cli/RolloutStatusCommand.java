package org.mezzo.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code mezzo module status}: who runs what the cluster wants, and why not. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Say which agents and masters run what the cluster wants, and why others do not.")
final class RolloutStatusCommand implements Callable<Integer> {
  @Mixin private MasterTarget target;

  @Override
  public Integer call() throws HostException, FlagException, InterruptedException {
    try (ClusterModules cluster = new ClusterModules(target)) {
      print(cluster.get());
      return 0;
    } catch (IOException e) {
      throw ClusterModules.failed("there is no answer", e);
    }
  }

  private static void print(Map<String, Object> answer) {
    Map<String, Object> generation = HttpJson.asObject(answer.get("generation"));
    System.out.printf("The cluster wants generation %s", generation.get("number"));
    System.out.println(by(generation));
    for (Map<String, Object> module : HttpJson.objects(generation, "modules")) {
      String selector = String.valueOf(module.get("selector"));
      System.out.printf(
          "  %s %s%s%n",
          module.get("name"),
          module.get("version"),
          selector.isEmpty() ? "" : " where " + selector);
    }
    if (answer.containsKey("rollout")) {
      System.out.println("Last rollout: " + ClusterModules.line(answer));
    }
    table("AGENT", HttpJson.objects(answer, "agents"));
    List<Map<String, Object>> masters = HttpJson.objects(answer, "masters");
    if (!masters.isEmpty()) {
      table("MASTER", masters);
    }
    for (Map<String, Object> agent : HttpJson.objects(answer, "agents")) {
      if (agent.containsKey("no_offers")) {
        System.out.printf(
            "Nothing of agent %s (%s) is offered: %s%n",
            text(agent, "id"), text(agent, "hostname"), text(agent, "no_offers"));
      }
    }
  }

  private static void table(String what, List<Map<String, Object>> daemons) {
    List<List<String>> table = new ArrayList<>();
    table.add(
        List.of(what, "HOST", "WANTED", "GENERATION", "BUNDLE", "VERSION", "STATE", "PROBLEM"));
    for (Map<String, Object> daemon : daemons) {
      rows(daemon, table);
    }
    Table.print(table);
  }

  private static String by(Map<String, Object> generation) {
    String who = String.valueOf(generation.get("by"));
    return who.isEmpty() ? "" : ", of " + who + " at " + generation.get("at");
  }

  private static void rows(Map<String, Object> agent, List<List<String>> table) {
    List<Map<String, Object>> modules = HttpJson.objects(agent, "modules");
    String whole =
        Boolean.FALSE.equals(agent.get("follows"))
            ? "its version of Mezzo takes no modules from the cluster"
            : Boolean.FALSE.equals(agent.get("connected")) ? "it has no link" : "";
    if (modules.isEmpty() || !whole.isEmpty()) {
      table.add(row(agent, Map.of(), whole));
    }
    for (Map<String, Object> module : modules) {
      table.add(row(agent, module, text(module, "problem")));
    }
  }

  private static List<String> row(
      Map<String, Object> agent, Map<String, Object> module, String problem) {
    return List.of(
        text(agent, "id"),
        text(agent, "hostname"),
        text(agent, "wanted_generation"),
        text(agent, "generation"),
        text(module, "name"),
        text(module, "version"),
        text(module, "state"),
        problem.lines().findFirst().orElse(""));
  }

  private static String text(Map<String, Object> object, String field) {
    return String.valueOf(object.getOrDefault(field, ""));
  }
}
