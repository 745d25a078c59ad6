package org.mezzo.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.files.jars.NamedJar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Says what would become of a module if it were installed. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Say what would become of a module if it were installed; change nothing.",
    footer = {
      "",
      "Ends with status 0 when nothing speaks against it, else with 1. None of its code is run, so",
      "that it may fail all the same when it is."
    })
final class ModuleVerifyCommand implements Callable<Integer> {
  @Mixin private DaemonTarget target;

  @Mixin private JarParameter jar;

  @Override
  public Integer call() throws Exception {
    try (NamedJar named = jar.open()) {
      Path file = named.file();
      return new ModuleRequests(target)
          .ask(
              "verify",
              Map.of("name", file.getFileName().toString()),
              Optional.of(file),
              ModuleVerifyCommand::print);
    }
  }

  private static boolean print(String daemon, Map<String, Object> answer) {
    Map<String, Object> found = HttpJson.asObject(answer.get("verification"));
    boolean passed = Boolean.TRUE.equals(found.get("passed"));
    System.out.println(daemon + ": " + (passed ? "it can be installed" : "it would be refused"));
    line("bundle", found.get("name") + " " + found.get("version"));
    line("sha-256", found.get("digest"));
    texts(found.get("modules")).forEach(module -> line("module", module));
    line("installed", found.get("installed"));
    line("would be", found.get("change"));
    texts(found.get("problems")).forEach(problem -> line("problem", problem));
    texts(found.get("notes")).forEach(note -> line("note", note));
    return passed;
  }

  private static List<String> texts(Object list) {
    return list instanceof List<?> all ? all.stream().map(String::valueOf).toList() : List.of();
  }

  private static void line(String title, Object value) {
    String text = String.valueOf(value).strip();
    if (!text.isEmpty()) {
      System.out.printf("  %-10s %s%n", title, text);
    }
  }
}
