package org.mezzo.cli;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at the offers of a cluster. */
@Command(
    name = "offer",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Look at the offers of a cluster.")
final class OfferCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
  }

  @Command(
      name = "explain",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Say why a framework is not offered anything.")
  int explain(
      @Mixin MasterTarget target,
      @Parameters(paramLabel = "FRAMEWORK_ID", description = "Id of the framework.")
          String framework,
      @Option(
              names = "--role",
              paramLabel = "ROLE",
              defaultValue = "",
              description = "One of its roles; needed when it has several.")
          String role,
      @Option(
              names = "--agent",
              paramLabel = "AGENT_ID",
              defaultValue = "",
              description = "Only this agent.")
          String agent,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "100",
              description = "How many agents to list (default: 100).")
          int limit)
      throws HostException, FlagException, InterruptedException {
    HttpJson http = new HttpJson(target.credential());
    try (Masters masters = target.find()) {
      Map<String, Object> answer =
          http.get(
              "http://%s/mezzo/offers/explain?framework_id=%s&role=%s&agent_id=%s&limit=%d"
                  .formatted(
                      http.leader(masters.address()),
                      encoded(framework),
                      encoded(role),
                      encoded(agent),
                      limit));
      print(answer);
      return 0;
    } catch (IOException e) {
      throw new HostException("there is no explanation: " + e.getMessage(), e);
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static void print(Map<String, Object> answer) {
    List<Map<String, Object>> everywhere = HttpJson.objects(answer, "everywhere");
    System.out.printf(
        "%s of %s agents can be offered under role %s; %s offers are not answered%n",
        everywhere.isEmpty() ? answer.get("agents_without_hindrance") : 0,
        answer.get("agents_looked_at"),
        answer.get("role"),
        answer.get("offers_not_answered"));
    List<List<String>> table = new ArrayList<>();
    table.add(List.of("AGENT", "HOST", "REASON", "UNTIL", "WHAT"));
    everywhere.forEach(one -> table.add(row("(all)", "", one)));
    for (Map<String, Object> agent : HttpJson.objects(answer, "agents")) {
      for (Map<String, Object> one : HttpJson.objects(agent, "hindrances")) {
        table.add(
            row(String.valueOf(agent.get("agent_id")), String.valueOf(agent.get("hostname")), one));
      }
    }
    if (table.size() > 1) {
      Table.print(table);
    }
  }

  private static List<String> row(String agent, String host, Map<String, Object> hindrance) {
    String roles =
        hindrance.get("roles") instanceof List<?> names
            ? names.stream().map(String::valueOf).collect(Collectors.joining(", ", " (", ")"))
            : "";
    return List.of(
        agent,
        host,
        String.valueOf(hindrance.get("reason")),
        String.valueOf(hindrance.getOrDefault("until", "")),
        hindrance.get("text") + roles);
  }
}
