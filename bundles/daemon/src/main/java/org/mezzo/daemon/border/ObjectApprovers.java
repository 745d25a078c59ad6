package org.mezzo.daemon.border;

import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.modules.Loan;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one principal may do in one request: the approver that an authorizer has given, and nothing
 * beyond the actions it was given for. Approves nothing once it is closed, or when the authorizer
 * went away; what the approver throws is a no. Safe for any thread.
 */
public final class ObjectApprovers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ObjectApprovers.class);

  /** Approves everything: nobody demands authorization. */
  public static final ObjectApprovers ALL =
      new ObjectApprovers(EnumSet.allOf(Action.class), new Unending((action, object) -> true));

  /** Approves nothing. */
  public static final ObjectApprovers NONE =
      new ObjectApprovers(Set.of(), new Unending((action, object) -> false));

  /** An approver that is not borrowed from anybody. */
  private record Unending(Approver approver) implements Loan<Approver> {
    @Override
    public Optional<Approver> get() {
      return Optional.of(approver);
    }

    @Override
    public <R> Optional<R> use(Function<? super Approver, R> action, Stuck stuck) {
      return Optional.ofNullable(action.apply(approver));
    }

    @Override
    public void threw(Throwable thrown) {
      LOG.warn("An approver threw", thrown);
    }

    @Override
    public void close() {}
  }

  /** Nobody who would have to know. */
  private static final Loan.Stuck NOBODY =
      new Loan.Stuck() {
        @Override
        public void lost() {}

        @Override
        public void back() {}
      };

  private final Set<Action> actions;
  private final Loan<Approver> approver;

  private volatile Loan.Stuck watcher = NOBODY;

  /** The approver has not returned in time. */
  private volatile boolean gone;

  private final Loan.Stuck stuck =
      new Loan.Stuck() {
        @Override
        public void lost() {
          gone = true;
          watcher.lost();
        }

        @Override
        public void back() {
          watcher.back();
        }
      };

  private ObjectApprovers(Set<Action> actions, Loan<Approver> approver) {
    this.actions = actions;
    this.approver = approver;
  }

  /**
   * Asks what an authorizer lent.
   *
   * @param actions what it was asked for
   * @param approver given back when this is closed
   */
  static ObjectApprovers of(Collection<Action> actions, Loan<Approver> approver) {
    return new ObjectApprovers(Set.copyOf(actions), approver);
  }

  /** Asks something that can be asked for ever. */
  public static ObjectApprovers of(Collection<Action> actions, Approver approver) {
    return of(actions, new Unending(approver));
  }

  /** Has somebody told of an approver that does not return. */
  void watchedBy(Loan.Stuck other) {
    watcher = other;
  }

  /** Whether a question is answered with yes. */
  public boolean approved(Question question) {
    return approved(question.action(), question.object());
  }

  /**
   * Whether the action is approved about an object.
   *
   * @throws CancellationException when the approver has not returned in time, and the request was
   *     decided without it
   */
  public boolean approved(Action action, AuthorizationObject object) {
    if (!limited()) {
      return true;
    }
    if (!actions.contains(action)) {
      return false;
    }
    if (gone) {
      throw late();
    }
    try {
      return approver.use(it -> it.approved(action, object), stuck).orElse(false);
    } catch (Throwable t) {
      if (gone) {
        throw late();
      }
      LOG.debug("{} of {} is refused: the approver threw {}", action, object, t.getClass());
      approver.threw(t);
      return false;
    }
  }

  /** Whether the approver has not returned in time. */
  boolean isGone() {
    return gone;
  }

  private static CancellationException late() {
    return new CancellationException("The request was decided without its approver");
  }

  /** Whether the action is approved about an object of which only the value is known. */
  public boolean approved(Action action, String value) {
    return !limited() || approved(action, AuthorizationObject.of(value));
  }

  /** Whether the action is approved about anything. */
  public boolean approved(Action action) {
    return approved(action, AuthorizationObject.ANY);
  }

  /** What of a map the action is approved about; its keys are values of objects. */
  public <T> Map<String, T> approved(Action action, Map<String, T> byValue) {
    if (!limited()) {
      return byValue;
    }
    Map<String, T> approved = new LinkedHashMap<>(byValue);
    approved.keySet().removeIf(value -> !approved(action, value));
    return approved;
  }

  /** Whether anybody is asked, so that there may be something that is not approved. */
  public boolean limited() {
    return this != ALL;
  }

  /** The request has ended. */
  @Override
  public void close() {
    approver.close();
  }
}
