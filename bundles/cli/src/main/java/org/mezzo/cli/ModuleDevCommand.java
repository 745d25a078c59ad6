package org.mezzo.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Builds a module at every save, and swaps it into a cluster on this machine. */
@Command(
    name = "dev",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Build the module of this folder at every save, and swap it into a cluster.",
    footer = {
      "",
      "For a folder as mezzo module new makes it, and a cluster on this machine, such as one that",
      "mezzo local runs. Each build gets a version of its own there, so that it takes over from"
          + " the",
      "one before without a gap; the version in pom.xml stays. Ctrl-C ends it, and leaves the last",
      "build in the cluster."
    })
final class ModuleDevCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");
  private static final long LOOK_MILLIS = 250;
  private static final long NEWS_MILLIS = 2_000;

  /** A swap has ten seconds for each of its steps. */
  private static final Duration HEARD = Duration.ofSeconds(60);

  private static final Duration TAKEN = Duration.ofSeconds(3);

  @Mixin private MasterTarget target;

  @Option(
      names = "--folder",
      paramLabel = "DIR",
      description = "Modules folder of the cluster (default: that of this distribution).")
  private Path folder;

  @Option(names = "--skip_tests", description = "Build without running the tests.")
  private boolean skipTests;

  @Option(names = "--once", description = "Build and swap once, and end with status 0 if it runs.")
  private boolean once;

  private Path project;
  private HttpJson http;
  private volatile Process maven;
  private String pomOfLastBuild = "";

  /** The number of the last change that was told. */
  private long told;

  @Override
  public Integer call() throws Exception {
    project = Path.of("").toAbsolutePath();
    if (!Files.isRegularFile(project.resolve("pom.xml"))) {
      throw new FlagException(
          "there is no pom.xml in "
              + project
              + ": run this in the folder of a module; mezzo module new makes one");
    }
    Home home = Home.ofThisProcess();
    folder = folder == null ? home.modules() : folder.toAbsolutePath().normalize();
    if (!Files.isWritable(folder)) {
      throw new FlagException(
          "--folder: bundles cannot be put into "
              + folder
              + "; name the modules folder of the cluster, and see that you may write there");
    }
    http = new HttpJson(target.credential());
    Runtime.getRuntime().addShutdownHook(new Thread(this::endMaven, "mezzo-end-maven"));
    try (Masters masters = target.find()) {
      follow(home, masters);
    } catch (IOException e) {
      throw new HostException(
          "no cluster answers: "
              + e.getMessage()
              + "; start one with mezzo local, or name a master of one with --master=HOST:PORT",
          e);
    }
    return 0;
  }

  private void follow(Home home, Masters masters)
      throws IOException, InterruptedException, HostException {
    told = newest(history(masters));
    SourceWatch watch = new SourceWatch(project);
    while (true) {
      SourceWatch.Look built = watch.look();
      boolean runs = build(home) && deploy(masters);
      if (once) {
        if (!runs) {
          throw new HostException("the module does not run in the cluster; see above");
        }
        return;
      }
      say("Watching src and pom.xml; Ctrl-C ends it");
      say("Changed: " + shown(awaitChange(watch, built, masters)));
    }
  }

  /** Waits until something is not as it was built, and has not changed since the look before. */
  private Set<Path> awaitChange(SourceWatch watch, SourceWatch.Look built, Masters masters)
      throws IOException, InterruptedException {
    SourceWatch.Look before = built;
    long lastNews = System.nanoTime();
    while (true) {
      SourceWatch.Look now = watch.look();
      Set<Path> changed = now.changedSince(built);
      if (!changed.isEmpty() && now.changedSince(before).isEmpty()) {
        return changed;
      }
      before = now;
      if (System.nanoTime() - lastNews > Duration.ofMillis(NEWS_MILLIS).toNanos()) {
        tellNews(masters);
        lastNews = System.nanoTime();
      }
      Thread.sleep(LOOK_MILLIS);
    }
  }

  private static String shown(Set<Path> changed) {
    String few = changed.stream().limit(3).map(Path::toString).collect(Collectors.joining(", "));
    return few + (changed.size() > 3 ? " and " + (changed.size() - 3) + " more" : "");
  }

  /** Runs Maven; whether it succeeded. */
  private boolean build(Home home) throws IOException, InterruptedException, HostException {
    String pom = Files.readString(project.resolve("pom.xml"));
    List<String> command = command(home, pom.equals(pomOfLastBuild));
    say("Building: " + String.join(" ", command));
    long begin = System.nanoTime();
    try {
      maven =
          new ProcessBuilder(command)
              .directory(project.toFile())
              .redirectInput(new File("/dev/null"))
              .redirectOutput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      throw new HostException(
          "Maven cannot be started: "
              + e.getMessage()
              + "; have mvn (3.8 or newer) in the PATH, or mvnw in the project",
          e);
    }
    int status = maven.waitFor();
    if (status != 0) {
      say("Not built, Maven ended with status " + status + "; what runs in the cluster stays");
      return false;
    }
    pomOfLastBuild = pom;
    say(
        String.format(
            Locale.ROOT, "Built in %.1f s", (System.nanoTime() - begin) / (double) 1_000_000_000));
    return true;
  }

  /**
   * How Maven is called.
   *
   * @param offline whether all that the POM names has been here before
   */
  private List<String> command(Home home, boolean offline) {
    Path wrapper = project.resolve("mvnw");
    List<String> command = new ArrayList<>();
    command.add(Files.isExecutable(wrapper) ? wrapper.toString() : "mvn");
    command.addAll(List.of("-q", "-B"));
    if (offline) {
      command.add("-o");
    }
    if (skipTests) {
      command.add("-DskipTests");
    }
    command.add("-Dmezzo.home=" + home.directory());
    command.add("package");
    return command;
  }

  private void endMaven() {
    Process running = maven;
    if (running != null) {
      running.descendants().forEach(ProcessHandle::destroy);
      running.destroy();
    }
  }

  /** Puts what was built into the folder, and tells what becomes of it; whether it runs. */
  private boolean deploy(Masters masters) throws IOException, InterruptedException {
    Optional<DevelopedBundle> built = DevelopedBundle.newestIn(project.resolve("target"));
    if (built.isEmpty()) {
      say(
          "Maven made no bundle in target/: the POM must have bnd-maven-plugin, and the jar plugin"
              + " take its manifest, as in what mezzo module new makes");
      return false;
    }
    String version = built.get().versionAt(Instant.now());
    Path file = built.get().putInto(folder, version);
    long end = System.nanoTime() + HEARD.toNanos();
    while (System.nanoTime() < end) {
      Optional<Map<String, Object>> change = heard(masters, built.get().symbolicName(), version);
      if (change.isPresent()) {
        told = Math.max(told, number(change.get()));
        say(text(change.get()));
        boolean runs = Boolean.TRUE.equals(change.get().get("succeeded"));
        if (runs) {
          built.get().removeOthers(folder, file);
          tellUse(masters, built.get().symbolicName(), version);
        } else {
          Files.deleteIfExists(file);
        }
        return runs;
      }
      Thread.sleep(LOOK_MILLIS);
    }
    say(
        "Nothing was heard of "
            + file
            + " within "
            + HEARD.toSeconds()
            + " s: is that the modules folder of this cluster? mezzo module deployments lists what"
            + " it has; --folder=DIR names another folder");
    return false;
  }

  private Optional<Map<String, Object>> heard(Masters masters, String name, String version)
      throws InterruptedException {
    try {
      return history(masters).stream()
          .filter(change -> name.equals(change.get("name")) && version.equals(change.get("to")))
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** What happened to modules since somebody was told last, such as a return to the one before. */
  private void tellNews(Masters masters) throws InterruptedException {
    List<Map<String, Object>> changes;
    try {
      changes = history(masters);
    } catch (IOException e) {
      return;
    }
    for (int i = changes.size() - 1; i >= 0; i--) {
      if (number(changes.get(i)) > told) {
        say(text(changes.get(i)));
      }
    }
    told = Math.max(told, newest(changes));
  }

  /**
   * Whether daemons use what runs now: one that no flag names is there for nobody. Those that were
   * without one take it a moment after it is there.
   */
  private void tellUse(Masters masters, String name, String version) throws InterruptedException {
    long end = System.nanoTime() + TAKEN.toNanos();
    List<Map<String, Object>> modules = List.of();
    while (modules.isEmpty() || (!used(modules) && System.nanoTime() < end)) {
      try {
        String leader = http.leader(masters.address());
        modules =
            HttpJson.objects(http.get("http://" + leader + "/mezzo/modules"), "modules").stream()
                .filter(
                    module -> {
                      Map<String, Object> bundle = HttpJson.asObject(module.get("bundle"));
                      return name.equals(bundle.get("name"))
                          && version.equals(bundle.get("version"));
                    })
                .toList();
      } catch (IOException e) {
        say("  " + e.getMessage());
        return;
      }
      if (modules.isEmpty()) {
        // Taken away again, or a library.
        return;
      }
      if (!used(modules)) {
        Thread.sleep(LOOK_MILLIS);
      }
    }
    modules.forEach(module -> say("  " + use(module)));
  }

  private static boolean used(List<Map<String, Object>> modules) {
    return modules.stream()
        .allMatch(module -> module.get("daemons") instanceof List<?> daemons && !daemons.isEmpty());
  }

  /** Who uses a module, in words. */
  static String use(Map<String, Object> module) {
    String name = module.get("kind") + " '" + module.get("name") + "'";
    List<?> daemons = module.get("daemons") instanceof List<?> list ? list : List.of();
    if (!daemons.isEmpty()) {
      return name
          + " is used by "
          + daemons.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
    String problem = String.valueOf(module.getOrDefault("problem", ""));
    String flags =
        ModuleTemplate.of(String.valueOf(module.get("kind")))
            .map(template -> template.flags().replace("{{name}}", "" + module.get("name")))
            .orElse("");
    return name
        + " is used by nobody now ("
        + module.get("state")
        + (problem.isEmpty() ? "" : ": " + problem)
        + ")"
        + (flags.isEmpty() ? "" : "; a cluster that wants it runs with " + flags);
  }

  private List<Map<String, Object>> history(Masters masters)
      throws IOException, InterruptedException {
    String leader = http.leader(masters.address());
    return HttpJson.objects(http.get("http://" + leader + "/mezzo/deployments"), "history");
  }

  private static long newest(List<Map<String, Object>> changes) {
    return changes.stream().mapToLong(ModuleDevCommand::number).max().orElse(-1);
  }

  private static long number(Map<String, Object> change) {
    return change.get("id") instanceof Number id ? id.longValue() : -1;
  }

  /** A change of the history in a line. */
  static String text(Map<String, Object> change) {
    String name = change.get("name") + " " + change.get("to");
    if (!Boolean.TRUE.equals(change.get("succeeded"))) {
      return "Failed: " + name + ": " + change.get("outcome");
    }
    String took = " in " + change.get("took_ms") + " ms";
    Object gap = change.get("gap_ms");
    switch (String.valueOf(change.get("action"))) {
      case "install":
        return "Installed " + name + took;
      case "swap":
        boolean without = gap instanceof Number millis && millis.longValue() == 0;
        return "Swapped "
            + name
            + " for "
            + change.get("from")
            + took
            + (without ? ", without a gap" : ", with a gap of " + gap + " ms");
      case "uninstall":
        return "Uninstalled " + change.get("name") + " " + change.get("from") + took;
      default:
        return "Updated " + name + took + ", with a gap of " + gap + " ms";
    }
  }

  private static void say(String line) {
    System.out.println(TIME.format(LocalTime.now(ZoneId.systemDefault())) + " " + line);
    System.out.flush();
  }
}
