package org.mezzo.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Looks at the modules of a cluster, changes them, and makes new ones. */
@Command(
    name = "module",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description =
        "Look at the modules of a cluster, change them while it runs, and make some of your own.",
    subcommands = {
      ModuleNewCommand.class,
      ModuleDevCommand.class,
      ModuleInfoCommand.class,
      ModuleConfigCommand.class,
      ModuleDiffCommand.class,
      ModuleVerifyCommand.class,
      ModuleSendCommand.Install.class,
      ModuleSendCommand.Update.class,
      ModuleSendCommand.Swap.class,
      ModuleLeaveCommand.Rollback.class,
      ModuleLeaveCommand.Uninstall.class,
      RolloutCommand.class,
      RolloutStatusCommand.class,
      RolloutOrderCommand.Pause.class,
      RolloutOrderCommand.Resume.class,
      RolloutOrderCommand.Abort.class
    })
final class ModuleCommand implements Runnable {
  private static final String DEPLOYMENTS = "/mezzo/deployments";

  /** Makes rows of what a daemon answers. */
  private interface View extends Function<Map<String, Object>, List<List<String>>> {}

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "List the modules of the leading master and of the agents on this machine.")
  int list(@Mixin MasterTarget target) throws HostException, FlagException, InterruptedException {
    return show(
        target,
        "/mezzo/modules",
        List.of("KIND", "NAME", "VERSION", "BUNDLE", "STATE"),
        ModuleCommand::modules);
  }

  @Command(
      name = "deployments",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "List the module bundles that are wanted there, and what has become of each.")
  int deployments(@Mixin MasterTarget target)
      throws HostException, FlagException, InterruptedException {
    return show(
        target,
        DEPLOYMENTS,
        List.of("BUNDLE", "VERSION", "STATE", "FILE", "PROBLEM"),
        answer ->
            HttpJson.objects(answer, "deployments").stream()
                .map(wanted -> texts(wanted, "name", "version", "state", "file", "problem"))
                .toList());
  }

  @Command(
      name = "verdicts",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "List what was refused or rolled back and is not tried until somebody asks.")
  int verdicts(@Mixin MasterTarget target)
      throws HostException, FlagException, InterruptedException {
    return show(
        target,
        DEPLOYMENTS,
        List.of("BUNDLE", "VERSION", "SHA-256", "TIME", "VERDICT", "REASON"),
        answer ->
            HttpJson.objects(answer, "verdicts").stream()
                .map(
                    passed -> texts(passed, "name", "version", "digest", "at", "verdict", "reason"))
                .toList());
  }

  @Command(
      name = "history",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "List the last installations, swaps and removals there, the newest first.")
  int history(@Mixin MasterTarget target)
      throws HostException, FlagException, InterruptedException {
    return show(
        target,
        DEPLOYMENTS,
        List.of("ID", "TIME", "BY", "ACTION", "BUNDLE", "FROM", "TO", "MS", "GAP", "OUTCOME"),
        answer -> HttpJson.objects(answer, "history").stream().map(ModuleCommand::change).toList());
  }

  private static List<String> change(Map<String, Object> action) {
    List<String> row =
        new ArrayList<>(
            texts(
                action,
                "id",
                "at",
                "principal",
                "action",
                "name",
                "from",
                "to",
                "took_ms",
                "gap_ms",
                "outcome"));
    if (!Boolean.TRUE.equals(action.get("succeeded"))) {
      row.set(row.size() - 1, "FAILED: " + row.get(row.size() - 1));
    }
    return row;
  }

  private static List<List<String>> modules(Map<String, Object> answer) {
    List<List<String>> rows = new ArrayList<>();
    for (Map<String, Object> module : HttpJson.objects(answer, "modules")) {
      Map<String, Object> bundle = HttpJson.asObject(module.get("bundle"));
      String problem = String.valueOf(module.getOrDefault("problem", ""));
      if (problem.isEmpty()) {
        problem = String.valueOf(module.getOrDefault("illness", ""));
      }
      rows.add(
          List.of(
              String.valueOf(module.get("kind")),
              String.valueOf(module.get("name")),
              String.valueOf(module.get("version")),
              bundle.get("name") + " " + bundle.get("version"),
              module.get("state") + (problem.isEmpty() ? "" : ": " + problem)));
    }
    return rows;
  }

  /** Fields of an object; of a text with several lines the first. */
  private static List<String> texts(Map<String, Object> object, String... fields) {
    return Arrays.stream(fields)
        .map(field -> String.valueOf(object.getOrDefault(field, "")))
        .map(text -> text.lines().findFirst().orElse(""))
        .toList();
  }

  /** Prints what the leader and the agents on this machine show. */
  private int show(MasterTarget target, String path, List<String> columns, View view)
      throws HostException, FlagException, InterruptedException {
    Map<List<String>, List<String>> rows = new LinkedHashMap<>();
    HttpJson http = new HttpJson(target.credential());
    try (Masters masters = target.find()) {
      String leader = http.leader(masters.address());
      collect(http, rows, "master", leader + path, view);
      for (Map<String, Object> agent :
          HttpJson.objects(http.get("http://" + leader + "/slaves"), "slaves")) {
        String pid = String.valueOf(agent.get("pid"));
        String address = pid.substring(pid.indexOf('@') + 1);
        if (local(address) && Boolean.TRUE.equals(agent.get("active"))) {
          collect(http, rows, "agent " + address, address + path, view);
        }
      }
    } catch (IOException e) {
      throw new HostException(
          "the modules cannot be listed: "
              + e.getMessage()
              + "; --master=HOST:PORT or MEZZO_MASTER names a master that runs",
          e);
    }
    List<List<String>> table = new ArrayList<>();
    table.add(row("DAEMON", columns));
    rows.forEach((cells, daemons) -> table.add(row(String.join(", ", daemons), cells)));
    Table.print(table);
    return 0;
  }

  private static List<String> row(String daemons, List<String> cells) {
    List<String> row = new ArrayList<>(List.of(daemons));
    row.addAll(cells);
    return row;
  }

  /** Adds what one daemon shows; the same one of several daemons is one row. */
  private static void collect(
      HttpJson http, Map<List<String>, List<String>> rows, String daemon, String place, View view)
      throws IOException {
    for (List<String> row : view.apply(http.get("http://" + place))) {
      rows.computeIfAbsent(row, key -> new ArrayList<>()).add(daemon);
    }
  }

  private static boolean local(String address) {
    try {
      String host = address.substring(0, address.lastIndexOf(':'));
      return NetworkInterface.getByInetAddress(InetAddress.getByName(host)) != null;
    } catch (IOException | IndexOutOfBoundsException e) {
      return false;
    }
  }
}
