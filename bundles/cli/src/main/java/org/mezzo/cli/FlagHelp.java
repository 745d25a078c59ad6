package org.mezzo.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagDefinitions.Definition;

/** What {@code mezzo master --help} and {@code mezzo agent --help} print. */
final class FlagHelp {
  private FlagHelp() {}

  static void print(Role role, FlagDefinitions definitions, PrintStream out) {
    out.println("Usage: mezzo " + role.daemon() + " [--FLAG=VALUE] [--SWITCH] [--no-SWITCH]...");
    out.println();
    out.println(
        "A value file:///path stands for the content of that file. Flags are also read from");
    out.println(
        "the environment (MEZZO_<FLAG>, then MESOS_<FLAG>), then from etc/"
            + role.daemon()
            + ".properties and");
    out.println(
        "etc/mezzo-"
            + role.daemon()
            + "/<flag> of the distribution, then from /etc/mesos-"
            + role.daemon()
            + "/<flag>,");
    out.println("/etc/default/mesos* and /etc/mesos/zk. The first that has a value wins.");
    out.println();
    out.println("Flags:");
    List<Definition> sorted = new ArrayList<>(definitions.all());
    sorted.sort(Comparator.comparing(Definition::name));
    sorted.stream().filter(Definition::effective).forEach(flag -> print(flag, out));
    out.println();
    out.println("Flags of Mesos that are accepted and have no effect in Mezzo yet:");
    sorted.stream().filter(flag -> !flag.effective()).forEach(flag -> print(flag, out));
    out.println();
    out.println(
        "A time is a number and one of ns, us, ms, secs, mins, hrs, days, weeks; a size is");
    out.println("a whole number and one of B, KB, MB, GB, TB.");
  }

  private static void print(Definition flag, PrintStream out) {
    boolean bool = flag.baseType().equals("bool");
    StringBuilder line = new StringBuilder("  --").append(bool ? "[no-]" : "").append(flag.name());
    if (!bool) {
      line.append('=').append(valueName(flag));
    }
    if (!flag.defaultValue().isEmpty()) {
      line.append("  (default: ").append(flag.defaultValue()).append(')');
    }
    if (!flag.deprecatedName().isEmpty()) {
      line.append("  (once --").append(flag.deprecatedName()).append(')');
    }
    out.println(line);
    out.println("      " + flag.purpose());
  }

  private static String valueName(Definition flag) {
    switch (flag.baseType()) {
      case "duration":
        return "TIME";
      case "bytes":
        return "SIZE";
      case "int":
      case "uint":
      case "uint16":
      case "double":
        return "NUMBER";
      case "document":
        return "JSON|FILE";
      case "json":
        return "JSON";
      case "path":
        return "FILE";
      default:
        return "TEXT";
    }
  }
}
