package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.mezzo.deployment.journal.Good;
import org.mezzo.deployment.journal.StateFolder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches what has taken over and has not proven itself yet. When daemons have used it without
 * trouble for long enough it becomes what is gone back to; when it fails before, what was good
 * before takes over again.
 */
final class Trials {
  private static final Logger LOG = LoggerFactory.getLogger(Trials.class);

  private final Ledger ledger;
  private final ModuleBundles bundles;
  private final Probation probation;
  private final Rehearsal rehearsal;
  private final Uses uses;
  private final Changes changes;
  private final StateFolder state;
  private final Supplier<Settings> settings;

  Trials(
      Ledger ledger,
      ModuleBundles bundles,
      Probation probation,
      Rehearsal rehearsal,
      Uses uses,
      Changes changes,
      StateFolder state,
      Supplier<Settings> settings) {
    this.ledger = ledger;
    this.bundles = bundles;
    this.probation = probation;
    this.rehearsal = rehearsal;
    this.uses = uses;
    this.changes = changes;
    this.state = state;
    this.settings = settings;
  }

  void watch() {
    bundles.closeOldMarks();
    rehearsal.settle();
    for (Installed entry : ledger.installed()) {
      boolean proven = state.journal().isProven(entry.jar.symbolicName(), entry.jar.digest());
      boolean present = ledger.installed(entry.jar.symbolicName()) == entry;
      if (present && rehearsed(entry) && entry.state.equals("active")) {
        watch(entry, proven, System.nanoTime());
      }
    }
  }

  /** Whether no module of a bundle has failed when it was to rehearse; has that dealt with. */
  private boolean rehearsed(Installed entry) {
    Optional<Rehearsal.Failure> failure = rehearsal.failure(entry.bundle, entry.jar);
    if (failure.isPresent()) {
      changes.refuseRehearsed(entry, failure.get());
    } else if (entry.stageFright) {
      entry.stageFright = false;
      entry.active();
      LOG.info("{} has rehearsed well at last", entry.name());
    }
    return failure.isEmpty();
  }

  private void watch(Installed entry, boolean proven, long now) {
    boolean onTrial = !proven || entry.succession != null;
    Optional<String> trouble = onTrial ? probation.trouble(entry.bundle) : Optional.empty();
    if (trouble.isPresent()) {
      entry.healthySinceNanos = 0;
      if (!rehearsed(entry)) {
        return;
      }
      changes.rollBack(entry, trouble.get());
      return;
    }
    boolean used = !uses.of(entry.bundle.getBundleId()).isEmpty();
    if (!used) {
      entry.healthySinceNanos = 0;
    } else if (entry.healthySinceNanos == 0) {
      entry.healthySinceNanos = now;
    }
    long healthy = used ? now - entry.healthySinceNanos : 0;
    if (used && healthy >= nanos(settings.get().probationMillis())) {
      bundles.outlived(entry.jar.digest());
    }
    if (!proven && used && healthy >= nanos(settings.get().trialMillis())) {
      prove(entry);
    }
    Succession succession = entry.succession;
    if (succession != null && lasts(succession, now)) {
      LOG.info("{} is removed, because its successor has lasted", succession.former().name());
      changes.settle(succession);
    }
  }

  /** Whether all of it that is used has served long enough, or nothing of it is used at all. */
  private boolean lasts(Succession succession, long now) {
    long trial = nanos(settings.get().trialMillis());
    return now - succession.sinceNanos >= trial
        && succession.heirs.stream()
            .filter(heir -> !uses.of(heir.bundle.getBundleId()).isEmpty())
            .allMatch(heir -> heir.healthySinceNanos != 0 && now - heir.healthySinceNanos >= trial);
  }

  private void prove(Installed entry) {
    try {
      state.store().force(entry.jar.digest());
      state
          .journal()
          .good(new Good(entry.jar.symbolicName(), entry.version(), entry.jar.digest(), true));
      LOG.info(
          "{} has served for {} s without trouble: it is what is gone back to from now on",
          Reasons.name(entry.bundle),
          settings.get().trialMillis() / 1_000);
    } catch (IOException e) {
      LOG.warn("{} cannot be kept to go back to", Reasons.name(entry.bundle), e);
      entry.healthySinceNanos = 0;
    }
  }

  private static long nanos(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }
}
