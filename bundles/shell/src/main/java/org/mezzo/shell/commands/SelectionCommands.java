package org.mezzo.shell.commands;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.felix.service.command.Descriptor;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.shell.terminal.Completions;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Changes which modules the daemons of this process use, while they run. The change is one of the
 * daemon's configuration, which lives as long as the process: its flag says what the next one uses.
 */
@Component(
    service = {SelectionCommands.class, Completions.class},
    property = {"osgi.command.scope=mezzo", "osgi.command.function=select"})
public final class SelectionCommands implements Completions {
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final String NONE = "none";

  /**
   * A kind of module that a running daemon can change.
   *
   * @param kind as modules state it
   * @param factoryPid of the daemons
   * @param flag that selects
   * @param several whether it takes more than one name, or none
   */
  private record Selectable(String kind, String factoryPid, String flag, boolean several) {}

  private static final List<Selectable> SELECTABLE =
      List.of(
          new Selectable("allocator", "org.mezzo.master", "allocator", false),
          new Selectable("hook", "org.mezzo.agent", "hooks", true),
          new Selectable("isolator", "org.mezzo.agent", "isolation", true));

  private final ModuleLeases leases;
  private final ConfigurationAdmin configurations;
  private final Duration patience;

  @Activate
  public SelectionCommands(
      @Reference ModuleLeases leases, @Reference ConfigurationAdmin configurations) {
    this(leases, configurations, PATIENCE);
  }

  SelectionCommands(ModuleLeases leases, ConfigurationAdmin configurations, Duration patience) {
    this.leases = leases;
    this.configurations = configurations;
    this.patience = patience;
  }

  @Descriptor("lets the daemons of this process use another module, until they are restarted")
  public String select(
      @Descriptor("allocator, or hook or isolator on agents; see modules") String kind,
      @Descriptor("the module's name; for hooks and isolators several with commas between, or none")
          String name)
      throws IOException, InterruptedException {
    Selectable selectable =
        selectable(kind)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "A running daemon can change its allocator, hooks or isolators, not its '"
                            + kind
                            + "': restart it with another flag"));
    List<String> wanted =
        selectable.several() && name.equals(NONE)
            ? List.of()
            : Arrays.stream(name.split(","))
                .map(String::strip)
                .filter(Predicate.not(String::isEmpty))
                .toList();
    if (wanted.isEmpty() && !name.equals(NONE) || wanted.size() > 1 && !selectable.several()) {
      throw new IllegalArgumentException("'" + name + "' is not the name of one " + kind);
    }
    List<String> available = names(selectable.kind());
    for (String one : wanted) {
      if (!available.contains(one)) {
        throw new IllegalArgumentException(
            "There is no %s '%s': %s"
                .formatted(
                    selectable.kind(),
                    one,
                    available.isEmpty()
                        ? "none is installed"
                        : "installed are " + String.join(", ", available)));
      }
    }
    return configure(selectable, wanted);
  }

  private String configure(Selectable selectable, List<String> wanted)
      throws IOException, InterruptedException {
    Configuration[] daemons;
    try {
      daemons =
          configurations.listConfigurations("(service.factoryPid=" + selectable.factoryPid() + ")");
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
    if (daemons == null || daemons.length == 0) {
      throw new IllegalStateException(
          "No daemon of this process uses a module of kind "
              + selectable.kind()
              + ": use the shell of "
              + (selectable.factoryPid().equals("org.mezzo.master") ? "a master" : "an agent"));
    }
    Map<String, String> before = new LinkedHashMap<>();
    for (Configuration daemon : daemons) {
      Dictionary<String, Object> properties = daemon.getProperties();
      String name = String.valueOf(properties.get("mezzo.daemon"));
      before.put(name, held(selectable.kind(), name));
      if (wanted.isEmpty()) {
        properties.remove(selectable.flag());
      } else {
        properties.put(selectable.flag(), String.join(",", wanted));
      }
      daemon.update(properties);
    }
    Map<String, String> after = awaitHolders(selectable.kind(), before, wanted);
    Table table = new Table("DAEMON", "KIND", "BEFORE", "NOW");
    before.forEach((name, old) -> table.row(name, selectable.kind(), old, after.get(name)));
    return table.toString();
  }

  /** What each daemon holds when it holds what is wanted, or when patience ends. */
  private Map<String, String> awaitHolders(
      String kind, Map<String, String> before, List<String> wanted) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      Map<String, String> now = new HashMap<>();
      boolean done = true;
      for (String daemon : before.keySet()) {
        now.put(daemon, held(kind, daemon));
        List<String> names =
            of(kind, daemon)
                .filter(lease -> lease.holder().isPresent())
                .map(LeaseDescription::name)
                .sorted()
                .toList();
        done &= names.equals(wanted.stream().sorted().toList());
      }
      if (done) {
        return now;
      }
      if (System.nanoTime() - deadline > 0) {
        // A master that does not lead has no allocator until it does.
        now.replaceAll((daemon, held) -> held + " (not yet " + String.join(",", wanted) + ")");
        return now;
      }
      Thread.sleep(10);
    }
  }

  private Stream<LeaseDescription> of(String kind, String daemon) {
    return leases.leases().stream()
        .filter(lease -> lease.kind().equals(kind) && lease.daemon().equals(daemon));
  }

  private String held(String kind, String daemon) {
    List<String> held =
        of(kind, daemon)
            .filter(lease -> lease.holder().isPresent())
            .map(lease -> lease.name() + " " + lease.holder().orElseThrow().bundleVersion())
            .toList();
    return held.isEmpty() ? NONE : String.join(", ", held);
  }

  private List<String> names(String kind) {
    return leases.modules().stream()
        .filter(module -> module.kind().equals(kind))
        .map(ModuleDescription::name)
        .distinct()
        .sorted()
        .toList();
  }

  /** By the kind's name, or that of its flag. */
  private static Optional<Selectable> selectable(String kind) {
    return SELECTABLE.stream()
        .filter(some -> some.kind().equals(kind) || some.flag().equals(kind))
        .findFirst();
  }

  @Override
  public List<String> after(List<String> words) {
    String command = words.get(0);
    if (command.equals("mezzo:select") || command.equals("select")) {
      if (words.size() == 1) {
        return SELECTABLE.stream().map(Selectable::kind).toList();
      }
      return words.size() == 2
          ? selectable(words.get(1)).map(some -> names(some.kind())).orElse(List.of())
          : List.of();
    }
    boolean module = command.equals("mezzo:module") || command.equals("module");
    return module && words.size() == 1
        ? leases.modules().stream().map(ModuleDescription::name).distinct().sorted().toList()
        : List.of();
  }
}
