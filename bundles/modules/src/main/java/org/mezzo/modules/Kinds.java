package org.mezzo.modules;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.anonymous.AnonymousModule;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.api.checker.Checker;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.api.hook.Hook;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.modules.Kind.Absence;
import org.mezzo.modules.Kind.Cardinality;
import org.mezzo.modules.Kind.Moving;

/** The kinds of modules that exist. {@code docs/modules.md} has tables that are made of them. */
public final class Kinds {

  /** Decides which framework is offered what. */
  public static final Kind<Allocator> ALLOCATOR =
      Kind.serial(Allocator.class, Allocator.KIND)
          .selectedBy(Role.MASTER, "allocator")
          .wanted(Cardinality.ONE, Absence.NO_OFFERS)
          .moved(Moving.TOLD_ANEW);

  /** Limits and describes one aspect of containers. */
  public static final Kind<Isolator> ISOLATOR =
      Kind.serial(Isolator.class, Isolator.KIND)
          .selectedBy(Role.AGENT, "isolation")
          .wanted(Cardinality.MANY, Absence.LAUNCH_FAILS);

  /** Decorates messages. */
  public static final Kind<Hook> HOOK =
      Kind.serial(Hook.class, Hook.KIND)
          .selectedBy(Role.MASTER, "hooks")
          .selectedBy(Role.AGENT, "hooks")
          .within(Optional.of(Duration.ofSeconds(1)), Duration.ofSeconds(2))
          .wanted(Cardinality.MANY, Absence.SKIPPED);

  /**
   * Brings the URIs of commands. A fetch has no deadline; whoever asked for it takes it back when
   * no byte comes for twice {@code --fetcher_stall_timeout}.
   */
  public static final Kind<Fetcher> FETCHER =
      Kind.parallel(Fetcher.class, Fetcher.KIND, 32)
          .stalling("twice `--fetcher_stall_timeout` without a byte", Duration.ofSeconds(60))
          .queueing(100_000)
          .wanted(Cardinality.MANY, Absence.TASK_FAILS);

  /** Says where the output of containers goes. */
  public static final Kind<ContainerLogger> CONTAINER_LOGGER =
      Kind.parallel(ContainerLogger.class, ContainerLogger.KIND, 16)
          .selectedBy(Role.AGENT, "container_logger")
          .queueing(100_000)
          .wanted(Cardinality.ONE, Absence.LAUNCH_FAILS);

  /** Tells who sent a request. */
  public static final Kind<HttpAuthenticator> HTTP_AUTHENTICATOR =
      Kind.parallel(HttpAuthenticator.class, HttpAuthenticator.KIND, 16)
          .selectedBy(Role.MASTER, "http_authenticators")
          .selectedBy(Role.AGENT, "http_authenticators")
          .wanted(Cardinality.MANY, Absence.UNAVAILABLE);

  /** Tells whether a principal may do what it asks. */
  public static final Kind<Authorizer> AUTHORIZER =
      Kind.parallel(Authorizer.class, Authorizer.KIND, 16)
          .selectedBy(Role.MASTER, "authorizers")
          .selectedBy(Role.AGENT, "authorizer")
          .wanted(Cardinality.ONE, Absence.FORBIDDEN);

  /** Says what an agent can lend. */
  public static final Kind<ResourceEstimator> RESOURCE_ESTIMATOR =
      Kind.serial(ResourceEstimator.class, ResourceEstimator.KIND)
          .selectedBy(Role.AGENT, "resource_estimator")
          .wanted(Cardinality.ONE, Absence.NOTHING_LENT);

  /** Says what of that has to go. */
  public static final Kind<QosController> QOS_CONTROLLER =
      Kind.serial(QosController.class, QosController.KIND)
          .selectedBy(Role.AGENT, "qos_controller")
          .wanted(Cardinality.ONE, Absence.NOTHING_PREEMPTED);

  /** Says what secrets are that tasks name. */
  public static final Kind<SecretResolver> SECRET_RESOLVER =
      Kind.parallel(SecretResolver.class, SecretResolver.KIND, 16)
          .selectedBy(Role.AGENT, "secret_resolver")
          .queueing(100_000)
          .wanted(Cardinality.ONE, Absence.TASK_FAILS);

  /** Makes the secrets of executors. */
  public static final Kind<SecretGenerator> SECRET_GENERATOR =
      Kind.parallel(SecretGenerator.class, SecretGenerator.KIND, 16)
          .selectedBy(Role.AGENT, "secret_generator")
          .queueing(100_000)
          .wanted(Cardinality.ONE, Absence.LAUNCH_FAILS);

  /** Lives beside a daemon, which asks nothing of it. */
  public static final Kind<AnonymousModule> ANONYMOUS =
      Kind.serial(AnonymousModule.class, AnonymousModule.KIND)
          .selectedBy(Role.MASTER, "anonymous_modules")
          .selectedBy(Role.AGENT, "anonymous_modules")
          .stalling("nobody calls it", Duration.ofSeconds(10))
          .wanted(Cardinality.MANY, Absence.UNNOTICED);

  /**
   * Tries whether tasks answer. A check has the time that its framework gives it; the checker has 5
   * seconds more.
   */
  public static final Kind<Checker> CHECKER =
      Kind.parallel(Checker.class, Checker.KIND, 65_536)
          .stalling("the check's own timeout and 5 s", Duration.ofSeconds(10))
          .queueing(100_000)
          .wanted(Cardinality.MANY, Absence.HEALTH_STAYS);

  /** Says which master leads. */
  public static final Kind<MasterDetector> MASTER_DETECTOR =
      Kind.serial(MasterDetector.class, MasterDetector.KIND)
          .selectedBy(Role.MASTER, "master_detector")
          .selectedBy(Role.AGENT, "master_detector")
          .stalling("nobody calls it", Duration.ofSeconds(10))
          .wanted(Cardinality.ONE, Absence.LEADER_STAYS);

  /** Says what an agent shows its master. */
  public static final Kind<Authenticatee> AUTHENTICATEE =
      Kind.serial(Authenticatee.class, Authenticatee.KIND)
          .selectedBy(Role.AGENT, "authenticatee")
          .wanted(Cardinality.ONE, Absence.NO_NEW_LINK);

  /** Stands for election on behalf of a master. */
  public static final Kind<MasterContender> MASTER_CONTENDER =
      Kind.serial(MasterContender.class, MasterContender.KIND)
          .selectedBy(Role.MASTER, "master_contender")
          .wanted(Cardinality.ONE, Absence.NO_LEADERSHIP);

  private static final List<Kind<?>> ALL =
      List.of(
          ALLOCATOR,
          ISOLATOR,
          HOOK,
          FETCHER,
          CONTAINER_LOGGER,
          HTTP_AUTHENTICATOR,
          AUTHORIZER,
          RESOURCE_ESTIMATOR,
          QOS_CONTROLLER,
          SECRET_RESOLVER,
          SECRET_GENERATOR,
          ANONYMOUS,
          CHECKER,
          MASTER_DETECTOR,
          AUTHENTICATEE,
          MASTER_CONTENDER);

  private Kinds() {}

  /** Every kind, in the order of the documentation. */
  public static List<Kind<?>> all() {
    return ALL;
  }

  /** The kind of that name. */
  public static Optional<Kind<?>> named(String name) {
    return ALL.stream().filter(kind -> kind.name().equals(name)).findFirst();
  }
}
