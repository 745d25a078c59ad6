package org.mezzo.deployment.bundles;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.journal.Journal;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleConfiguration;
import org.mezzo.modules.ModuleConfiguration.Changed;
import org.mezzo.modules.ModuleConfiguration.Manner;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.ParameterDescriptions;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * Changes of modules' parameters by operators. The journal keeps what is set, and is written when
 * all instances work with it; so a process that ends before that has the former values when it
 * comes again.
 */
final class Parameters {
  /** Of one module, in characters of names and values. */
  private static final int MOST_CHARACTERS = 64 * 1024;

  private static final int LONGEST_NAME = 200;

  /** Longer than opening, handing over and the deadlines of calls take together. */
  private static final long PATIENCE_SECONDS = 120;

  private final BundleContext context;
  private final ModuleLeases leases;
  private final ModuleConfiguration configuration;
  private final Rehearsal rehearsal;
  private final Probation probation;
  private final Uses uses;
  private final Journal journal;
  private final History history;

  Parameters(
      BundleContext context,
      ModuleLeases leases,
      Rehearsal rehearsal,
      Probation probation,
      Uses uses,
      Journal journal,
      History history) {
    this.context = context;
    this.leases = leases;
    this.configuration = leases.configuration();
    this.rehearsal = rehearsal;
    this.probation = probation;
    this.uses = uses;
    this.journal = journal;
    this.history = history;
  }

  /** Has modules work with what was set in processes before. */
  void restore() {
    journal
        .parameters()
        .forEach((module, values) -> configuration.restore(module.kind(), module.name(), values));
  }

  /** Changes some, or says why not. */
  Action change(String name, Map<String, String> set, Set<String> unset, String principal) {
    List<ModuleDescription> meant =
        leases.modules().stream()
            .filter(it -> name.equals(it.name()) || name.equals(title(it)))
            .toList();
    Set<String> titles = meant.stream().map(Parameters::title).collect(Collectors.toSet());
    if (titles.size() != 1) {
      return history
          .begin(Action.Kind.CONFIGURE, principal, name, "", "")
          .failed(
              titles.isEmpty() ? unknown() : "several are called so; say which: " + sorted(titles));
    }
    // Of several versions the one that was installed last is used.
    ModuleDescription module = meant.get(meant.size() - 1);
    Transaction change = history.begin(Action.Kind.CONFIGURE, principal, title(module), "", "");
    Map<String, String> before = configuration.values(module.kind(), module.name());
    Map<String, String> wanted = new TreeMap<>(before);
    wanted.keySet().removeAll(unset);
    wanted.putAll(set);
    Optional<String> objection = objection(module, before, wanted, set, unset);
    if (objection.isPresent()) {
      return change.failed(objection.get() + "; nothing was changed");
    }
    if (wanted.equals(before)) {
      return change.end(true, "all of it is so already", Duration.ZERO);
    }
    return change(change, module, before, wanted);
  }

  static String title(ModuleDescription module) {
    return module.kind() + "/" + module.name();
  }

  private static String sorted(Set<String> names) {
    return names.stream().sorted().collect(Collectors.joining(", "));
  }

  private String unknown() {
    return "no module is called so; there are "
        + sorted(leases.modules().stream().map(Parameters::title).collect(Collectors.toSet()));
  }

  private Optional<String> objection(
      ModuleDescription module,
      Map<String, String> before,
      Map<String, String> wanted,
      Map<String, String> set,
      Set<String> unset) {
    if (set.isEmpty() && unset.isEmpty()) {
      return Optional.of("there is nothing to change: give NAME=VALUE, or a name to unset");
    }
    for (String name : set.keySet()) {
      if (name.isBlank() || name.length() > LONGEST_NAME || unset.contains(name)) {
        return Optional.of(
            "a parameter needs a name of at most %d characters, and is set or unset, not both"
                .formatted(LONGEST_NAME));
      }
    }
    for (String name : unset) {
      if (!before.containsKey(name)) {
        return Optional.of(
            "parameter '%s' was not set by an operator; set are %s"
                .formatted(shown(name), before.isEmpty() ? "none" : sorted(before.keySet())));
      }
    }
    int size =
        wanted.entrySet().stream()
            .mapToInt(it -> it.getKey().length() + it.getValue().length())
            .sum();
    if (size > MOST_CHARACTERS) {
      return Optional.of(
          "names and values have %d characters together, of which at most %d are kept; give a file instead"
              .formatted(size, MOST_CHARACTERS));
    }
    Optional<ParameterDescriptions> described =
        configuration.described(module.kind(), module.name());
    List<String> unknown = described.map(it -> it.unknown(set)).orElse(List.of());
    return unknown.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s has no parameter '%s'; there are %s"
                .formatted(title(module), shown(unknown.get(0)), described.get().names()));
  }

  private static String shown(String text) {
    String begin = text.length() > LONGEST_NAME ? text.substring(0, LONGEST_NAME) : text;
    return begin.replaceAll("\\p{Cntrl}", "?");
  }

  private Action change(
      Transaction change,
      ModuleDescription module,
      Map<String, String> before,
      Map<String, String> wanted) {
    Bundle bundle = context.getBundle(module.bundleId());
    if (bundle == null) {
      return change.failed("its bundle was just removed; nothing was changed");
    }
    Optional<String> refused = rehearsal.of(bundle, module.kind(), module.name(), wanted);
    if (refused.isPresent()) {
      return change.failed(refused.get() + "; nothing was changed");
    }
    change.stage("rehearsed with them");
    boolean wasWell = probation.trouble(bundle).isEmpty();
    List<LeaseDescription> held = leases.leases();
    List<Changed> changed = List.of();
    Optional<String> problem;
    try {
      changed = await(configuration.change(module.kind(), module.name(), wanted));
      problem = failure(module, changed);
      if (problem.isEmpty()) {
        change.stage(
            "given to " + (changed.isEmpty() ? "nobody, since none uses it" : told(changed)));
        problem = wasWell ? probation.lasts(bundle) : Optional.empty();
      }
    } catch (IllegalStateException e) {
      problem = Optional.of(Objects.toString(e.getMessage(), e.toString()));
    }
    Duration gap = uses.gap(module.bundleId(), held);
    if (problem.isPresent()) {
      return change.end(false, problem.get() + "; " + goBack(module, before), gap);
    }
    boolean kept = journal.parameters(new Journal.Module(module.kind(), module.name()), wanted);
    return change.end(
        true,
        said(module, before, wanted)
            + (changed.isEmpty() ? "; no daemon uses it now" : "; " + told(changed))
            + (kept ? "" : "; it cannot be written down, and is forgotten when this host stops"),
        gap);
  }

  private String goBack(ModuleDescription module, Map<String, String> before) {
    try {
      Optional<String> failed =
          failure(module, await(configuration.change(module.kind(), module.name(), before)));
      return failed
          .map(why -> "it has not gone back to the former parameters either: " + why)
          .orElse("the former parameters stay");
    } catch (IllegalStateException e) {
      return "it has not gone back to the former parameters yet: " + e.getMessage();
    }
  }

  private static Optional<String> failure(ModuleDescription module, List<Changed> changed) {
    return changed.stream()
        .filter(it -> it.manner() == Manner.FAILED)
        .findFirst()
        .map(
            it ->
                "%s of %s does not work with them: %s"
                    .formatted(title(module), it.daemon(), it.problem()));
  }

  private static List<Changed> await(CompletionStage<List<Changed>> stage) {
    try {
      return stage.toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the host is stopping", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause().toString(), e);
    } catch (TimeoutException e) {
      throw new IllegalStateException("it takes longer than " + PATIENCE_SECONDS + " s", e);
    }
  }

  /** Which daemons have it in which way. */
  private static String told(List<Changed> changed) {
    List<String> ways = new ArrayList<>();
    for (Manner manner : List.of(Manner.LIVE, Manner.RENEWED, Manner.NONE)) {
      String daemons =
          changed.stream()
              .filter(it -> it.manner() == manner)
              .map(Changed::daemon)
              .sorted()
              .collect(Collectors.joining(", "));
      if (!daemons.isEmpty()) {
        ways.add(
            switch (manner) {
                  case LIVE -> "taken while it runs by ";
                  case RENEWED -> "by a new instance in ";
                  default -> "with the next instance in ";
                }
                + daemons);
      }
    }
    return String.join(", ", ways);
  }

  /**
   * What has changed. Values are told only of parameters that the module describes, and not as
   * passwords: nobody knows what others are.
   */
  private String said(
      ModuleDescription module, Map<String, String> before, Map<String, String> wanted) {
    Optional<ParameterDescriptions> described =
        configuration.described(module.kind(), module.name());
    List<String> parts = new ArrayList<>();
    wanted.forEach(
        (name, value) -> {
          if (!value.equals(before.get(name))) {
            boolean open =
                described.flatMap(it -> it.of(name)).filter(it -> !it.isSecret()).isPresent();
            parts.add(open ? name + "=" + shown(value) : name + " was set");
          }
        });
    before.keySet().stream()
        .filter(name -> !wanted.containsKey(name))
        .sorted()
        .forEach(name -> parts.add(name + " was unset"));
    return String.join(", ", parts);
  }
}
