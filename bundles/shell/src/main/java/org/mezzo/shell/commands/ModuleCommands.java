package org.mezzo.shell.commands;

import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.felix.service.command.Descriptor;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Deployments.Condition;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.Verification;
import org.mezzo.files.jars.NamedJar;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.ParameterDescription;
import org.mezzo.modules.ParameterValue;
import org.mezzo.shell.terminal.Caller;
import org.mezzo.shell.terminal.Completions;
import org.mezzo.shell.terminal.Table;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Commands about modules and the bundles they come in; each returns the text to show. */
@Component(
    service = {ModuleCommands.class, Completions.class},
    property = {
      "osgi.command.scope=mezzo",
      "osgi.command.function=modules",
      "osgi.command.function=module",
      "osgi.command.function=leases",
      "osgi.command.function=deployments",
      "osgi.command.function=verdicts",
      "osgi.command.function=history",
      "osgi.command.function=change",
      "osgi.command.function=install",
      "osgi.command.function=swap",
      "osgi.command.function=rollback",
      "osgi.command.function=verify",
      "osgi.command.function=config",
      "osgi.command.function=uninstall",
      "mezzo.command.view=modules",
      "mezzo.command.view=module",
      "mezzo.command.view=leases",
      "mezzo.command.view=deployments",
      "mezzo.command.view=verdicts",
      "mezzo.command.view=history",
      "mezzo.command.view=change",
      "mezzo.command.operate=rollback",
      "mezzo.command.administer=install",
      "mezzo.command.administer=swap",
      // Parameters may name programs and files.
      "mezzo.command.administer=config",
      // It reads whatever file somebody names.
      "mezzo.command.administer=verify",
      "mezzo.command.administer=uninstall"
    })
public final class ModuleCommands implements Completions {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

  private static final String JAR =
      "path of the jar, a URL of file, http or https, or - for what ssh sends";
  private static final String SENT = "-";
  private static final String SHA_256 = "the SHA-256 that it has to have";
  private static final String UNSET = "--unset=";
  private static final long PATIENCE_SECONDS = 60;

  private final ModuleLeases leases;
  private final Deployments deployments;

  @Activate
  public ModuleCommands(@Reference ModuleLeases leases, @Reference Deployments deployments) {
    this.leases = leases;
    this.deployments = deployments;
  }

  @Descriptor("lists all modules: who offers them and which daemons use them")
  public String modules() {
    Table table = new Table("KIND", "NAME", "VERSION", "BUNDLE", "STATE", "DAEMONS", "PROBLEM");
    List<ModuleDescription> modules = leases.modules();
    for (ModuleDescription module : modules) {
      table.row(
          module.kind(),
          module.name(),
          module.version().isEmpty() ? module.bundleVersion() : module.version(),
          module.bundleName() + " " + module.bundleVersion() + " [" + module.bundleId() + "]",
          module.state(),
          String.join(",", module.daemons()),
          module.problem().isEmpty() ? module.illness() : module.problem());
    }
    return modules.isEmpty() ? "No modules are installed." : table.toString();
  }

  @Descriptor("shows everything known of the modules with a name")
  public String module(@Descriptor("the name, for example hierarchical") String name) {
    StringBuilder text = new StringBuilder();
    for (ModuleDescription module : leases.modules()) {
      if (module.name().equals(name)) {
        text.append(module.kind()).append(' ').append(name).append('\n');
        line(text, "version", module.version());
        line(text, "author", module.author());
        line(text, "description", module.description());
        line(
            text,
            "bundle",
            module.bundleName() + " " + module.bundleVersion() + " [" + module.bundleId() + "]");
        line(text, "state", module.state());
        line(text, "daemons", String.join(", ", module.daemons()));
        line(text, "problem", module.problem());
        line(text, "not well", module.illness());
      }
    }
    return text.isEmpty() ? "No module is called " + name + "." : text.toString().stripTrailing();
  }

  private static void line(StringBuilder text, String title, String value) {
    if (!value.isEmpty()) {
      text.append("  ").append(title).append(": ").append(value).append('\n');
    }
  }

  @Descriptor("lists what daemons asked for and what they hold; a vacant lease has no bundle")
  public String leases() {
    Table table = new Table("DAEMON", "KIND", "NAME", "EPOCH", "BACKLOG", "GAP", "BUNDLE");
    List<LeaseDescription> held = leases.leases();
    for (LeaseDescription lease : held) {
      table.row(
          lease.daemon(),
          lease.kind(),
          lease.name(),
          lease.epoch(),
          lease.backlog(),
          lease.gap().toMillis() + " ms",
          lease
              .holder()
              .map(module -> module.bundleName() + " " + module.bundleVersion())
              .orElse("(vacant)"));
    }
    return held.isEmpty() ? "No daemon of this host uses modules." : table.toString();
  }

  @Descriptor("lists the module bundles that are wanted and what has become of them")
  public String deployments() {
    Table table = new Table("BUNDLE", "VERSION", "STATE", "FILE", "MODULES", "PROBLEM");
    List<Deployment> wanted = deployments.list();
    for (Deployment deployment : wanted) {
      table.row(
          deployment.symbolicName(),
          deployment.version(),
          deployment.state(),
          deployment.file(),
          String.join(", ", deployment.modules()),
          deployment.problem());
    }
    String text =
        wanted.isEmpty()
            ? deployments
                .folder()
                .map(folder -> "No module bundles are installed; put some into " + folder + ".")
                .orElse("No module bundles are installed, and this host has no module folder.")
            : table.toString();
    return deployments.leaks().stream()
        .map(leak -> "\nRemoved, but its classes cannot be freed: " + leak)
        .collect(Collectors.joining("", text.stripTrailing(), ""));
  }

  @Descriptor("lists what was refused or rolled back and is not tried until somebody asks for it")
  public String verdicts() {
    Table table = new Table("BUNDLE", "VERSION", "SHA-256", "TIME", "VERDICT", "REASON");
    List<Verdict> verdicts = deployments.verdicts();
    for (Verdict verdict : verdicts) {
      table.row(
          verdict.symbolicName(),
          verdict.version(),
          verdict.digest(),
          TIME.format(verdict.at()),
          verdict.kind().word(),
          verdict.reason());
    }
    return verdicts.isEmpty() ? "Nothing is held against any bundle." : table.toString();
  }

  @Descriptor("lists the last installations, swaps and removals, the newest first")
  public String history() {
    Table table =
        new Table("ID", "TIME", "BY", "ACTION", "BUNDLE", "FROM", "TO", "TOOK", "GAP", "OUTCOME");
    List<Action> actions = deployments.history();
    for (Action action : actions) {
      table.row(
          action.id(),
          TIME.format(action.at()),
          action.principal(),
          action.kind().name().toLowerCase(Locale.ROOT),
          action.symbolicName(),
          action.fromVersion(),
          action.toVersion(),
          action.took().toMillis() + " ms",
          action.gap().toMillis() + " ms",
          (action.succeeded() ? "" : "FAILED: ") + action.outcome());
    }
    return actions.isEmpty() ? "Nothing has been done yet." : table.toString();
  }

  @Descriptor("shows one change with the stages that it passed")
  public String change(@Descriptor("its id, see history") long id) {
    for (Action action : deployments.history()) {
      if (action.id() == id) {
        StringBuilder text = new StringBuilder();
        text.append(action.kind().name().toLowerCase(Locale.ROOT))
            .append(' ')
            .append(action.symbolicName())
            .append('\n');
        line(text, "by", action.principal());
        line(text, "at", TIME.format(action.at()));
        line(text, "from", action.fromVersion());
        line(text, "to", action.toVersion());
        for (Action.Stage stage : action.stages()) {
          line(text, "after " + stage.after().toMillis() + " ms", stage.what());
        }
        line(text, action.succeeded() ? "done" : "failed", action.outcome());
        return text.toString().stripTrailing();
      }
    }
    return "There is no change " + id + "; history lists the last ones.";
  }

  @Descriptor("installs a module bundle, or a version that is not lower, without a restart")
  public String install(@Descriptor(JAR) String jar) throws IOException, InterruptedException {
    return install(jar, Optional.empty());
  }

  @Descriptor("the same of a jar that must be a certain one")
  public String install(@Descriptor(JAR) String jar, @Descriptor(SHA_256) String sha256)
      throws IOException, InterruptedException {
    return install(jar, Optional.of(sha256));
  }

  private String install(String jar, Optional<String> sha256)
      throws IOException, InterruptedException {
    return await(
        jar,
        withJar(
            jar,
            sha256,
            file ->
                deployments.install(
                    file,
                    file.getFileName().toString(),
                    Set.of(Condition.NOT_LOWER),
                    Caller.current().principal())));
  }

  @Descriptor("swaps an installed module bundle for another version of it, also for a lower one")
  public String swap(@Descriptor(JAR) String jar) throws IOException, InterruptedException {
    return swap(jar, Optional.empty());
  }

  @Descriptor("the same of a jar that must be a certain one")
  public String swap(@Descriptor(JAR) String jar, @Descriptor(SHA_256) String sha256)
      throws IOException, InterruptedException {
    return swap(jar, Optional.of(sha256));
  }

  private String swap(String jar, Optional<String> sha256)
      throws IOException, InterruptedException {
    return await(
        jar, withJar(jar, sha256, file -> deployments.swap(file, Caller.current().principal())));
  }

  @Descriptor("goes back to what ran before the version of a module bundle that runs now")
  public String rollback(@Descriptor("its symbolic name, see deployments") String symbolicName)
      throws InterruptedException {
    return await(symbolicName, deployments.rollback(symbolicName, Caller.current().principal()));
  }

  @Descriptor("says what would become of a jar if it were installed; changes nothing")
  public String verify(@Descriptor(JAR) String jar) throws IOException, InterruptedException {
    Verification found =
        get(
            jar,
            withJar(
                jar,
                Optional.empty(),
                file -> deployments.verify(file, file.getFileName().toString())));
    StringBuilder text = new StringBuilder();
    text.append(found.passed() ? "It can be installed." : "It would be refused.").append('\n');
    line(text, "bundle", (found.symbolicName() + " " + found.version()).strip());
    line(text, "sha-256", found.digest());
    line(text, "modules", String.join(", ", found.modules()));
    line(text, "installed", found.installed());
    line(text, "would be", found.change());
    found.problems().forEach(problem -> line(text, "problem", problem));
    found.notes().forEach(note -> line(text, "note", note));
    return text.toString().stripTrailing();
  }

  @Descriptor("shows the parameters of a module, for each daemon that uses it")
  public String config(@Descriptor("its name, or KIND/NAME") String name) {
    Table table =
        new Table("MODULE", "DAEMON", "PARAMETER", "VALUE", "FROM", "DEFAULT", "EXPECTED");
    Set<String> seen = new LinkedHashSet<>();
    for (ModuleDescription module : leases.modules()) {
      String title = module.kind() + "/" + module.name();
      if ((name.equals(module.name()) || name.equals(title)) && seen.add(title)) {
        List<String> daemons =
            leases.wanting(module.kind(), module.name()).stream().map(it -> it.daemon()).toList();
        for (String daemon : daemons.isEmpty() ? List.of("") : daemons) {
          for (ParameterValue one :
              ParameterValue.of(leases, module.kind(), module.name(), daemon)) {
            boolean open = one.description().filter(it -> !it.isSecret()).isPresent();
            table.row(
                title,
                daemon,
                one.name(),
                one.value().orElse(""),
                one.value().isPresent() ? one.origin().word() : "",
                open ? one.description().get().value() : "",
                one.description().map(ParameterDescription::expected).orElse("not described"));
          }
        }
      }
    }
    return seen.isEmpty() ? "No module is called " + name + "." : table.toString();
  }

  @Descriptor("changes parameters of a module while it runs")
  public String config(
      @Descriptor("its name, or KIND/NAME") String name,
      @Descriptor("PARAMETER=VALUE, or --unset=PARAMETER, as many as wanted") String... changes)
      throws InterruptedException {
    Map<String, String> set = new LinkedHashMap<>();
    Set<String> unset = new LinkedHashSet<>();
    for (String change : changes) {
      int equals = change.indexOf('=');
      if (equals <= 0 || equals == change.length() - 1 && change.startsWith(UNSET)) {
        throw new IllegalArgumentException(
            "'" + change + "' is neither PARAMETER=VALUE nor --unset=PARAMETER");
      }
      if (change.startsWith(UNSET)) {
        unset.add(change.substring(UNSET.length()));
      } else {
        set.put(change.substring(0, equals), change.substring(equals + 1));
      }
    }
    return await(name, deployments.configure(name, set, unset, Caller.current().principal()));
  }

  @Descriptor("removes a module bundle and its jar; daemons go on without its modules")
  public String uninstall(@Descriptor("its symbolic name, see deployments") String symbolicName)
      throws InterruptedException {
    return await(symbolicName, deployments.uninstall(symbolicName, Caller.current().principal()));
  }

  @Override
  public Collection<String> after(List<String> words, String begun) {
    if (words.size() > 1) {
      return List.of();
    }
    return switch (words.get(0)) {
      case "config" ->
          leases.modules().stream().map(it -> it.kind() + "/" + it.name()).distinct().toList();
      case "module" -> leases.modules().stream().map(ModuleDescription::name).toList();
      case "rollback", "uninstall" ->
          deployments.list().stream().map(Deployment::symbolicName).toList();
      case "change" ->
          deployments.history().stream().map(action -> String.valueOf(action.id())).toList();
      case "install", "swap", "verify" -> Paths.jars(begun);
      default -> List.of();
    };
  }

  private static NamedJar jar(String place, Optional<String> sha256) throws IOException {
    if (!place.equals(SENT)) {
      return NamedJar.open(place, sha256, NamedJar.Limits.USUAL, System.out::println);
    }
    return NamedJar.received(
        Caller.current()
            .sent()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "'-' is a jar that ssh sends, as in ssh ... mezzo:install - <FILE; at a"
                            + " terminal name a path or a URL")),
        "What was sent",
        sha256,
        NamedJar.Limits.USUAL);
  }

  /** Does something with a jar, which is there until that is complete, whoever waits for it. */
  private static <T> CompletionStage<T> withJar(
      String place, Optional<String> sha256, Function<Path, CompletionStage<T>> use)
      throws IOException {
    NamedJar jar = jar(place, sha256);
    try {
      return use.apply(jar.file()).whenComplete((result, failure) -> jar.close());
    } catch (RuntimeException e) {
      jar.close();
      throw e;
    }
  }

  private static String await(String what, CompletionStage<Action> stage)
      throws InterruptedException {
    Action action = get(what, stage);
    String text =
        "%s %s%s%s: %s (%d ms, gap %d ms)"
            .formatted(
                action.kind().name().toLowerCase(Locale.ROOT),
                action.symbolicName()
                    + (action.fromVersion().isEmpty() && action.toVersion().isEmpty() ? "" : " "),
                action.fromVersion().isEmpty() || action.toVersion().isEmpty()
                    ? action.fromVersion()
                    : action.fromVersion() + " -> ",
                action.toVersion(),
                action.outcome(),
                action.took().toMillis(),
                action.gap().toMillis());
    if (!action.succeeded()) {
      throw new IllegalStateException(text);
    }
    return text;
  }

  private static <T> T get(String what, CompletionStage<T> stage) throws InterruptedException {
    try {
      return stage.toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException(what + ": " + e.getCause().getMessage(), e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          what + " takes longer than " + PATIENCE_SECONDS + " s; history tells how it ends", e);
    }
  }
}
