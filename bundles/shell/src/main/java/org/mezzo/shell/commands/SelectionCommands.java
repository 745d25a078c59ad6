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
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.felix.service.command.Descriptor;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.modules.Kind;
import org.mezzo.modules.Kind.Cardinality;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.shell.terminal.Access;
import org.mezzo.shell.terminal.Caller;
import org.mezzo.shell.terminal.Completions;
import org.mezzo.shell.terminal.Table;
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
    property = {
      "osgi.command.scope=mezzo",
      "osgi.command.function=select",
      "mezzo.command.operate=select"
    })
public final class SelectionCommands implements Completions {
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final String NONE = "none";

  /** The kinds that a running daemon can change. */
  private static final List<Kind<?>> SELECTABLE =
      Kinds.all().stream().filter(kind -> !kind.flags().isEmpty()).toList();

  private static final Map<Role, String> FACTORIES =
      Map.of(Role.MASTER, "org.mezzo.master", Role.AGENT, "org.mezzo.agent");

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
      @Descriptor("what it is, for example allocator or hook; see modules") String kind,
      @Descriptor("the module's name; several with commas between, or none, where that is possible")
          String name)
      throws IOException, InterruptedException {
    Kind<?> selected =
        selectable(kind)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "A running daemon can change its "
                            + String.join(", ", kinds())
                            + ", not its '"
                            + kind
                            + "'"));
    if (selected.guards()) {
      Caller.current()
          .demand(Access.ADMINISTER, "select another " + selected.name() + ", which guards this");
    }
    boolean several = selected.cardinality() == Cardinality.MANY;
    boolean dispensable = selected.isDispensable();
    List<String> wanted =
        dispensable && name.equals(NONE)
            ? List.of()
            : Arrays.stream(name.split(","))
                .map(String::strip)
                .filter(Predicate.not(String::isEmpty))
                .toList();
    if (wanted.isEmpty() && !(dispensable && name.equals(NONE)) || wanted.size() > 1 && !several) {
      throw new IllegalArgumentException("'" + name + "' is not the name of one " + kind);
    }
    List<String> available = names(selected.name());
    for (String one : wanted) {
      if (!available.contains(one)) {
        throw new IllegalArgumentException(
            "There is no %s '%s': %s"
                .formatted(
                    selected.name(),
                    one,
                    available.isEmpty()
                        ? "none is installed"
                        : "installed are " + String.join(", ", available)));
      }
    }
    return configure(selected, wanted);
  }

  private String configure(Kind<?> kind, List<String> wanted)
      throws IOException, InterruptedException {
    Map<String, String> before = new LinkedHashMap<>();
    for (Map.Entry<Role, String> flag : new TreeMap<>(kind.flags()).entrySet()) {
      for (Configuration daemon : daemons(flag.getKey())) {
        Dictionary<String, Object> properties = daemon.getProperties();
        String name = String.valueOf(properties.get("mezzo.daemon"));
        if (kind.guards() && of(kind.name(), name).findAny().isEmpty()) {
          continue;
        }
        before.put(name, held(kind.name(), name));
        if (wanted.isEmpty()) {
          properties.remove(flag.getValue());
        } else {
          properties.put(flag.getValue(), String.join(",", wanted));
        }
        daemon.update(properties);
      }
    }
    if (before.isEmpty()) {
      throw new IllegalStateException(
          "No daemon of this process uses a module of kind "
              + kind.name()
              + (kind.guards()
                  ? ": what is not demanded when a daemon starts is open until it is restarted"
                  : ": use the shell of "
                      + (kind.flags().containsKey(Role.MASTER) ? "a master" : "an agent")));
    }
    Map<String, String> after = awaitHolders(kind.name(), before, wanted);
    Table table = new Table("DAEMON", "KIND", "BEFORE", "NOW");
    before.forEach((name, old) -> table.row(name, kind.name(), old, after.get(name)));
    return table.toString();
  }

  private List<Configuration> daemons(Role role) throws IOException {
    try {
      Configuration[] daemons =
          configurations.listConfigurations("(service.factoryPid=" + FACTORIES.get(role) + ")");
      return daemons == null ? List.of() : List.of(daemons);
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
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

  private static List<String> kinds() {
    return SELECTABLE.stream().map(Kind::name).toList();
  }

  /** By the kind's name, or that of its flag. */
  private static Optional<Kind<?>> selectable(String kind) {
    return SELECTABLE.stream()
        .filter(some -> some.name().equals(kind) || some.flags().containsValue(kind))
        .findFirst();
  }

  @Override
  public List<String> after(List<String> words, String begun) {
    if (!words.get(0).equals("select")) {
      return List.of();
    }
    if (words.size() == 1) {
      return kinds();
    }
    return words.size() == 2
        ? selectable(words.get(1)).map(some -> names(some.name())).orElse(List.of())
        : List.of();
  }
}
