package org.mezzo.daemon.endpoints;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Shipped;
import org.mezzo.deployment.Verdict;
import org.mezzo.deployment.Verification;

/** A deployment that writes down what is asked of it and answers what it is told to. */
final class RecordedDeployments implements Deployments {
  private static final Instant AT = Instant.parse("2026-01-02T03:04:05Z");

  /** What changes were asked for, in words. */
  final List<String> asked = new CopyOnWriteArrayList<>();

  /** What becomes of changes. */
  volatile boolean succeeds = true;

  /** What changes fail with; null when they do not. */
  volatile Throwable failure;

  @Override
  public List<Deployment> list() {
    return List.of(
        new Deployment(
            "hooks", "1.0.0", "cd34", true, "hooks.jar", "active", "", 7, List.of("hook labels")),
        new Deployment(
            "bad", "2.0.0", "ab12", false, "bad.jar", "failed", "it throws", -1, List.of()));
  }

  @Override
  public List<Action> history() {
    return List.of(action("Ada", Action.Kind.SWAP, true, "took over"));
  }

  private static Action action(
      String principal, Action.Kind kind, boolean succeeded, String outcome) {
    return new Action(
        3,
        principal,
        AT,
        kind,
        "hooks",
        "0.9.0",
        "1.0.0",
        succeeded,
        outcome,
        Duration.ofMillis(12),
        Duration.ZERO,
        List.of(new Action.Stage("started", Duration.ofMillis(4))));
  }

  @Override
  public List<String> leaks() {
    return List.of("org.gone 1.0.0: loader 7.0");
  }

  @Override
  public List<Shipped> shipped() {
    return List.of(new Shipped("hooks-1.jar", "cd34"));
  }

  @Override
  public List<Verdict> verdicts() {
    return List.of(new Verdict("ab12", "bad", "2.0.0", Verdict.Kind.ROLLED_BACK, "it throws", AT));
  }

  @Override
  public Optional<Path> folder() {
    return Optional.empty();
  }

  private CompletionStage<Action> changed(Action.Kind kind, String what, String principal) {
    asked.add(what + " by " + principal);
    return failure == null
        ? CompletableFuture.completedStage(
            action(principal, kind, succeeds, succeeds ? "done" : "it is refused"))
        : CompletableFuture.failedStage(failure);
  }

  private static String content(Path jar) {
    try {
      return Files.readString(jar);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public CompletionStage<Action> install(Path jar, String principal) {
    throw new UnsupportedOperationException("without conditions");
  }

  @Override
  public CompletionStage<Action> install(String fileName, InputStream jar, String principal) {
    throw new UnsupportedOperationException("without conditions");
  }

  @Override
  public CompletionStage<Action> install(
      Path jar, String fileName, Set<Condition> conditions, String principal) {
    return changed(
        Action.Kind.INSTALL,
        "install " + fileName + " " + new TreeSet<>(conditions) + ": " + content(jar),
        principal);
  }

  @Override
  public CompletionStage<Action> configure(
      String module, Map<String, String> set, Set<String> unset, String principal) {
    return changed(
        Action.Kind.CONFIGURE,
        "configure " + module + " " + new TreeMap<>(set) + " -" + new TreeSet<>(unset),
        principal);
  }

  @Override
  public Action noteLogLevel(
      String logger, String from, String to, String principal, String outcome) {
    asked.add(
        "level of " + logger + " " + from + " -> " + to + " by " + principal + ": " + outcome);
    return action(principal, Action.Kind.LOG_LEVEL, true, outcome);
  }

  @Override
  public CompletionStage<Action> rollback(String symbolicName, String principal) {
    return changed(Action.Kind.SWAP, "rollback " + symbolicName, principal);
  }

  @Override
  public CompletionStage<Action> uninstall(String symbolicName, String principal) {
    return changed(Action.Kind.UNINSTALL, "uninstall " + symbolicName, principal);
  }

  @Override
  public CompletionStage<Verification> verify(Path jar, String fileName) {
    asked.add("verify " + fileName + ": " + content(jar));
    return CompletableFuture.completedStage(
        new Verification(
            fileName,
            "hooks",
            "1.0.0",
            "ab12",
            List.of("hook labels"),
            "2.0.0",
            "swap",
            List.of("it lacks something"),
            List.of("it is old")));
  }
}
