package org.mezzo.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows and changes the parameters of a module while daemons run. */
@Command(
    name = "config",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Show the parameters of a module, or change them while daemons run.",
    footer = {
      "",
      "What is set so stands above --modules, for all daemons of the process, until it is changed",
      "again. The module tries it first; then it takes it while it runs, or another instance takes",
      "over from it. Changes are in mezzo module history."
    })
final class ModuleConfigCommand implements Callable<Integer> {
  @Mixin private DaemonTarget target;

  @Parameters(
      index = "0",
      paramLabel = "NAME",
      description = "The name of a module, or KIND/NAME, such as hook/labels.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "PARAMETER=VALUE",
      description = "What to set.")
  private List<String> set = new ArrayList<>();

  @Option(
      names = "--unset",
      paramLabel = "PARAMETER",
      description = "What --modules or the module itself is to decide again.")
  private List<String> unset = new ArrayList<>();

  @Override
  public Integer call() throws Exception {
    if (set.isEmpty() && unset.isEmpty()) {
      return show();
    }
    Map<String, String> form = new LinkedHashMap<>();
    form.put("module", name);
    for (String one : set) {
      int equals = one.indexOf('=');
      if (equals <= 0) {
        throw new FlagException(
            "'" + one + "' is no PARAMETER=VALUE; write, for example, label.zone=north");
      }
      if (form.putIfAbsent("set." + one.substring(0, equals), one.substring(equals + 1)) != null) {
        throw new FlagException(
            "'" + one.substring(0, equals) + "' is given twice; give each parameter one value");
      }
    }
    unset.forEach(one -> form.put("unset." + one, ""));
    return new ModuleRequests(target).changeBy("configure", form);
  }

  private int show() throws HostException, FlagException, InterruptedException {
    HttpJson http = new HttpJson(target.credential());
    try {
      for (Map.Entry<String, String> daemon : target.daemons(http).entrySet()) {
        String url = "http://" + daemon.getValue() + "/mezzo/modules/parameters";
        Map<String, Object> answer = http.get(url, Map.of("module", name));
        for (Map<String, Object> module : HttpJson.objects(answer, "modules")) {
          print(daemon.getKey(), module);
        }
      }
    } catch (IOException e) {
      throw new HostException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
    return 0;
  }

  private static void print(String daemon, Map<String, Object> module) {
    String about = text(module, "description");
    System.out.printf(
        "%s: %s/%s%s%n",
        daemon, module.get("kind"), module.get("name"), about.isEmpty() ? "" : ", " + about);
    if (!Boolean.TRUE.equals(module.get("described"))) {
      System.out.println("It describes no parameters; these are given to it.");
    }
    List<List<String>> table = new ArrayList<>();
    table.add(List.of("PARAMETER", "VALUE", "FROM", "DEFAULT", "EXPECTED", "DESCRIPTION"));
    for (Map<String, Object> one : HttpJson.objects(module, "parameters")) {
      boolean required = Boolean.TRUE.equals(one.get("required"));
      table.add(
          List.of(
              text(one, "name"),
              text(one, "value"),
              one.containsKey("value") ? text(one, "origin") : "",
              text(one, "default"),
              text(one, "expected") + (required ? ", required" : ""),
              text(one, "description")));
    }
    Table.print(table);
  }

  private static String text(Map<String, Object> object, String field) {
    return String.valueOf(object.getOrDefault(field, ""));
  }
}
