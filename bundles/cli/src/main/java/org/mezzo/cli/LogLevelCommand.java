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

/** Shows and changes the levels of loggers while daemons run. */
@Command(
    name = "log-level",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Show the level of a logger, or change it while daemons run.",
    footer = {
      "",
      "Without LOGGER it lists those that somebody has set. A level is that of the whole process"
          + " of",
      "a daemon, and is forgotten when that ends. Changes are in mezzo module history."
    })
final class LogLevelCommand implements Callable<Integer> {
  private static final String PATH = "/mezzo/loggers";

  @Mixin private DaemonTarget target;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "LOGGER",
      description =
          "The begin of loggers' names, such as org.mezzo.master; ROOT for all; or a module as"
              + " KIND/NAME, such as hook/audit.")
  private String logger;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "LEVEL",
      description =
          "ERROR, WARN, INFO, DEBUG or TRACE; default for what held before anybody set one.")
  private String level;

  @Option(
      names = "--for",
      paramLabel = "DURATION",
      description =
          "After which the former level is back, such as 10mins (default: it holds until it is"
              + " changed).")
  private String duration;

  @Override
  public Integer call() throws Exception {
    if (duration != null && level == null) {
      throw new FlagException("--for goes with a LEVEL: say which one is to hold for so long");
    }
    HttpJson http = new HttpJson(target.credential());
    List<List<String>> table = new ArrayList<>();
    table.add(List.of("DAEMON", "LOGGER", "LEVEL", "UNTIL", "BY"));
    try {
      for (Map.Entry<String, String> daemon : target.daemons(http).entrySet()) {
        for (Map<String, Object> one :
            HttpJson.objects(ask(http, "http://" + daemon.getValue() + PATH), "loggers")) {
          List<String> row = new ArrayList<>(List.of(daemon.getKey()));
          for (String field : List.of("logger", "level", "until", "by")) {
            row.add(String.valueOf(one.getOrDefault(field, "")));
          }
          table.add(row);
        }
      }
    } catch (IOException e) {
      throw new HostException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
    Table.print(table);
    return 0;
  }

  private Map<String, Object> ask(HttpJson http, String url) throws IOException {
    if (logger == null) {
      return http.get(url);
    }
    Map<String, String> query = new LinkedHashMap<>();
    query.put("logger", logger);
    if (level == null) {
      return http.get(url, query);
    }
    query.put("level", level);
    if (duration != null) {
      query.put("duration", duration);
    }
    return http.post(url + "/level", query);
  }
}
