package org.mezzo.agent.oversubscription;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.mezzo.api.Metrics;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.Resource.RevocableInfo;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.ResourceKind;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this agent lends (rules 315 to 319): knows the total of its revocable resources, which is
 * what is in use of them with what the resource estimator adds, tells of it when it has changed,
 * and has executors end as the QoS controller says. For the event loop only, unless said otherwise.
 *
 * <p>What is in use and what is estimated are of the same moment, so that a task that is launched
 * while the estimator thinks does not count twice. While nobody estimates, only what is in use
 * stays lent.
 */
public final class Oversubscription implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Oversubscription.class);

  /** A controller is never asked more often, whatever the flag says. */
  static final Duration LEAST_INTERVAL = Duration.ofSeconds(1);

  /**
   * Who decides, and how often it is asked.
   *
   * @param estimator {@code --resource_estimator}
   * @param estimates {@code --oversubscribed_resources_interval}
   * @param controller {@code --qos_controller}
   * @param corrections {@code --qos_correction_interval_min}
   */
  public record Options(
      Optional<String> estimator,
      Duration estimates,
      Optional<String> controller,
      Duration corrections) {}

  private final UsageSampling sampling;
  private final Questions<ResourceEstimator, Resources> estimates;
  private final Questions<QosController, List<QosCorrection>> corrections;
  private final Predicate<QosCorrection> preemption;
  private final Runnable changed;
  private final Metrics.Counter ignored;
  private final Options options;
  private volatile Resources lent = Resources.EMPTY;

  /**
   * Nothing is lent, and nobody asked, before {@link #start}.
   *
   * @param timers runs something on the loop later
   * @param preemption carries a correction out; false where there is nobody to be ended
   * @param changed told, on the loop, whenever another amount is lent
   */
  public Oversubscription(
      Options options,
      DaemonModules modules,
      Executor loop,
      BiFunction<Duration, Runnable, Timer> timers,
      UsageSampling sampling,
      Predicate<QosCorrection> preemption,
      Runnable changed,
      Metrics metrics) {
    this.options = options;
    this.sampling = sampling;
    this.preemption = preemption;
    this.changed = changed;
    ignored = metrics.counter("slave/mezzo/qos_corrections_ignored");
    Questions.Surroundings around =
        new Questions.Surroundings(modules, loop, timers, sampling::sample);
    estimates =
        new Questions<>(
            around,
            Kinds.RESOURCE_ESTIMATOR,
            "oversubscribable",
            options.estimates(),
            Oversubscription::estimate,
            new Estimates());
    corrections =
        new Questions<>(
            around,
            Kinds.QOS_CONTROLLER,
            "corrections",
            options.corrections().compareTo(LEAST_INTERVAL) < 0
                ? LEAST_INTERVAL
                : options.corrections(),
            Oversubscription::corrections,
            new Corrections());
  }

  /** Begins to ask; what recovered executors hold is lent at once. */
  public void start() {
    estimates.select(options.estimator());
    corrections.select(options.controller());
    lend(sampling.revocable());
    estimates.start();
    corrections.start();
  }

  /** Lets another module estimate; empty for none. */
  public void selectEstimator(Optional<String> name) {
    estimates.select(name);
  }

  /** Lets another module correct; empty for none. */
  public void selectController(Optional<String> name) {
    corrections.select(name);
  }

  /** Everything that is revocable here, in use or not. Safe for any thread. */
  public Resources lent() {
    return lent;
  }

  private void lend(Resources total) {
    if (!total.equals(lent)) {
      LOG.info("Lends '{}' instead of '{}'", total.toText(), lent.toText());
      lent = total;
      changed.run();
    }
  }

  // On threads of the leases: what a module gives that it must not is its fault.

  private static Resources estimate(ResourceEstimator estimator, ResourceUsage usage)
      throws Exception {
    Resources estimate = estimator.oversubscribable(usage);
    return estimate == null ? null : revocable(estimate);
  }

  /** Refuses what cannot be lent, and makes the rest revocable. */
  static Resources revocable(Resources estimate) throws ResourceFormatException {
    List<org.mezzo.protocol.v1.Resource> messages = new ArrayList<>();
    for (Resource entry : estimate) {
      org.mezzo.protocol.v1.Resource message = entry.toMessage(Resources.Format.POST_REFINEMENT);
      if (entry.type() != ResourceKind.Type.SCALAR
          || message.getReservationsCount() > 0
          || message.hasDisk()
          || message.hasShared()
          || message.hasProviderId()
          || message.hasAllocationInfo()) {
        throw new IllegalArgumentException(
            entry + " cannot be lent: only scalars without reservation, disk, provider and role");
      }
      if (estimate.scalar(entry.name()) > ResourceEstimator.MOST * 1000) {
        throw new IllegalArgumentException(
            "more than " + ResourceEstimator.MOST + " of '" + entry.name() + "' cannot be lent");
      }
      messages.add(message.toBuilder().setRevocable(RevocableInfo.getDefaultInstance()).build());
    }
    return Resources.of(messages);
  }

  private static List<QosCorrection> corrections(QosController controller, ResourceUsage usage)
      throws Exception {
    List<QosCorrection> corrections = controller.corrections(usage);
    if (corrections == null) {
      return null;
    }
    List<QosCorrection> copy = new ArrayList<>();
    for (QosCorrection each : corrections) {
      if (copy.size() == QosController.MOST) {
        throw new IllegalArgumentException(
            "more than " + QosController.MOST + " corrections at a time");
      }
      copy.add(each);
    }
    return List.copyOf(copy);
  }

  private final class Estimates implements Questions.Listener<Resources> {
    @Override
    public void answered(Resources answer, UsageSample about) {
      lend(about.revocable().plus(answer));
    }

    @Override
    public void nobody() {
      lend(sampling.revocable());
    }
  }

  private final class Corrections implements Questions.Listener<List<QosCorrection>> {
    @Override
    public void answered(List<QosCorrection> answer, UsageSample about) {
      for (QosCorrection correction : answer) {
        if (!preemption.test(correction)) {
          ignored.increment();
        }
      }
    }

    @Override
    public void nobody() {
      // Nothing is corrected.
    }
  }

  /** Asks nobody any more. Safe for any thread. */
  @Override
  public void close() {
    estimates.close();
    corrections.close();
  }
}
