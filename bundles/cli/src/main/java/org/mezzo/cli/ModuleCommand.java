package org.mezzo.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import org.mezzo.host.HostLog;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Looks at the modules of a cluster. */
@Command(
    name = "module",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Look at the modules of a cluster.")
final class ModuleCommand implements Runnable {
  private static final String OWN_MACHINE = "127.0.0.1:5050";
  private static final List<String> COLUMNS =
      List.of("DAEMON", "KIND", "NAME", "VERSION", "BUNDLE", "STATE");

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
  int list(
      @Option(
              names = "--master",
              paramLabel = "MASTER",
              description =
                  "HOST:PORT of any master of the cluster, or zk://HOST:PORT,HOST:PORT/PATH"
                      + " (default: the variable MEZZO_MASTER, else 127.0.0.1:5050).")
          String master)
      throws HostException, FlagException, InterruptedException {
    Map<List<String>, List<String>> rows = new LinkedHashMap<>();
    String given = Masters.given(master, System.getenv()).orElse(OWN_MACHINE);
    if (given.startsWith("zk://")) {
      HostLog.configure(true, false, "WARN", Optional.empty(), Boot.LIBRARIES);
    }
    try (Masters masters = Masters.find(given)) {
      String leader = HttpJson.leader(masters.address());
      collect(rows, "master", leader);
      for (Map<String, Object> agent :
          HttpJson.objects(HttpJson.get("http://" + leader + "/slaves"), "slaves")) {
        String pid = String.valueOf(agent.get("pid"));
        String address = pid.substring(pid.indexOf('@') + 1);
        if (local(address) && Boolean.TRUE.equals(agent.get("active"))) {
          collect(rows, "agent " + address, address);
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
    table.add(COLUMNS);
    rows.forEach(
        (module, daemons) -> {
          List<String> row = new ArrayList<>();
          row.add(String.join(", ", daemons));
          row.addAll(module);
          table.add(row);
        });
    print(table);
    return 0;
  }

  /** Adds the modules that one daemon reports; the same one of several daemons is one row. */
  static void collect(Map<List<String>, List<String>> rows, String daemon, String address)
      throws IOException {
    Map<String, Object> answer = HttpJson.get("http://" + address + "/mezzo/modules");
    for (Map<String, Object> module : HttpJson.objects(answer, "modules")) {
      Map<String, Object> bundle = HttpJson.asObject(module.get("bundle"));
      String problem = String.valueOf(module.getOrDefault("problem", ""));
      List<String> row =
          List.of(
              String.valueOf(module.get("kind")),
              String.valueOf(module.get("name")),
              String.valueOf(module.get("version")),
              bundle.get("name") + " " + bundle.get("version"),
              module.get("state") + (problem.isEmpty() ? "" : ": " + problem));
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

  private static void print(List<List<String>> table) {
    int columns = COLUMNS.size();
    int[] widths = new int[columns];
    for (List<String> row : table) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : table) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i));
        if (i < columns - 1) {
          line.append(" ".repeat(widths[i] - row.get(i).length() + 2));
        }
      }
      System.out.println(line);
    }
  }
}
