package org.mezzo.master.transitions;

import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Removal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is said to and done about frameworks that have been removed (rule 42). */
public final class RemovedFrameworks {
  private static final Logger LOG = LoggerFactory.getLogger(RemovedFrameworks.class);

  /** What every text about it begins with: clients know it by that. */
  static final String REMOVED = "Framework has been removed";

  private RemovedFrameworks() {}

  static boolean readmitted(Framework gone) {
    return gone.removal().map(Removal::readmitted).orElse(false);
  }

  /** Which framework, when and why, and what can be done about it. */
  static String explained(Framework gone) {
    Removal removal = gone.removal().orElseThrow();
    return removal
        .at()
        .map(
            at ->
                "%s: %s was removed at %s by %s. An operator lets it subscribe again by POST of"
                        .formatted(REMOVED, gone.id(), at.truncatedTo(ChronoUnit.SECONDS), by(gone))
                    + " frameworkId=%s to /mezzo/frameworks/readmit, or by 'mezzo framework readmit"
                        .formatted(gone.id())
                    + " %s'; without its id it subscribes as a new one".formatted(gone.id()))
        .orElseGet(() -> "%s: %s is being removed by %s".formatted(REMOVED, gone.id(), by(gone)));
  }

  private static String by(Framework gone) {
    Removal removal = gone.removal().orElseThrow();
    return switch (removal.cause()) {
      case FRAMEWORK -> "its own TEARDOWN";
      case OPERATOR ->
          "TEARDOWN of "
              + removal.principal().map("operator '%s'"::formatted).orElse("an operator");
      case FAILOVER_TIMEOUT ->
          "its failover_timeout of %s secs, within which it did not come back"
              .formatted(gone.info().getFailoverTimeout());
    };
  }

  /**
   * Lets the id of a removed framework subscribe again. Until it does, what agents still have of it
   * is ended as before; then it has the past that is remembered of it.
   *
   * @param operator who allows it
   * @return whether there is such a framework
   */
  public static boolean readmit(Transition tx, String id, Optional<String> operator) {
    Optional<Framework> gone = tx.state().completed(id);
    gone.ifPresent(
        framework -> {
          LOG.info(
              "{} lets framework {} subscribe again, which was removed by {}",
              operator.orElse("An operator"),
              id,
              by(framework));
          tx.become(tx.state().replaceCompleted(framework.readmit()));
        });
    return gone.isPresent();
  }
}
