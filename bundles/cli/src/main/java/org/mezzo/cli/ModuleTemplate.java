package org.mezzo.cli;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The kinds of module that {@code mezzo module new} can begin, each with a folder of templates of
 * its kind's name: a module, its test, and what its README says of it.
 */
enum ModuleTemplate {
  ALLOCATOR("allocator", "allocator", "org.mezzo.api.allocator.Allocator", "--allocator={{name}}"),
  ISOLATOR("isolator", "isolator", "org.mezzo.api.isolator.Isolator", "--isolation={{name}}"),
  HOOK("hook", "hook", "org.mezzo.api.hook.Hook", "--hooks={{name}}"),
  FETCHER("fetcher", "fetcher", "org.mezzo.api.fetcher.Fetcher", ""),
  CONTAINER_LOGGER(
      "container-logger",
      "logger",
      "org.mezzo.api.logger.ContainerLogger",
      "--container_logger={{name}}"),
  HTTP_AUTHENTICATOR(
      "http-authenticator",
      "authenticator",
      "org.mezzo.api.authentication.HttpAuthenticator",
      "--http_authenticators={{name}} --authenticate_http_readonly --authenticate_http_readwrite"),
  AUTHORIZER(
      "authorizer",
      "authorizer",
      "org.mezzo.api.authorization.Authorizer",
      "--authorizers={{name}} --authorizer={{name}} --acls='{}'"),
  RESOURCE_ESTIMATOR(
      "resource-estimator",
      "estimator",
      "org.mezzo.api.estimator.ResourceEstimator",
      "--resource_estimator={{name}}"),
  QOS_CONTROLLER(
      "qos-controller", "qos", "org.mezzo.api.qos.QosController", "--qos_controller={{name}}"),
  SECRET_RESOLVER(
      "secret-resolver",
      "secrets",
      "org.mezzo.api.secret.SecretResolver",
      "--secret_resolver={{name}}"),
  SECRET_GENERATOR(
      "secret-generator",
      "generator",
      "org.mezzo.api.generator.SecretGenerator",
      "--secret_generator={{name}}"),
  AUTHENTICATEE(
      "authenticatee",
      "authenticatee",
      "org.mezzo.api.authenticatee.Authenticatee",
      "--authenticatee={{name}}"),
  ANONYMOUS(
      "anonymous",
      "anonymous",
      "org.mezzo.api.anonymous.AnonymousModule",
      "--anonymous_modules={{name}}"),
  CHECKER("checker", "checker", "org.mezzo.api.checker.Checker", ""),
  MASTER_DETECTOR(
      "master-detector",
      "detector",
      "org.mezzo.api.detector.MasterDetector",
      "--master_detector={{name}}"),
  MASTER_CONTENDER(
      "master-contender",
      "contender",
      "org.mezzo.api.contender.MasterContender",
      "--master_contender={{name}}");

  private final String kind;
  private final String prefix;
  private final String spi;
  private final String flags;

  /**
   * A kind.
   *
   * @param kind its name, that of the folder
   * @param prefix what artifacts of it begin with
   * @param spi the interface
   * @param flags those with which a local cluster uses the module
   */
  ModuleTemplate(String kind, String prefix, String spi, String flags) {
    this.kind = kind;
    this.prefix = prefix;
    this.spi = spi;
    this.flags = flags;
  }

  /** The one for a kind; empty when there is no such kind. */
  static Optional<ModuleTemplate> of(String kind) {
    return Arrays.stream(values()).filter(each -> each.kind.equals(kind)).findFirst();
  }

  /** All kinds, for people. */
  static String kinds() {
    return Arrays.stream(values()).map(ModuleTemplate::kind).collect(Collectors.joining(", "));
  }

  /** The value of {@code mezzo.module.kind}. */
  String kind() {
    return kind;
  }

  /** What artifacts of the kind begin with. */
  String prefix() {
    return prefix;
  }

  /** The qualified name of the interface. */
  String spi() {
    return spi;
  }

  /** The last word of the interface's name, which names of classes end with. */
  String suffix() {
    String simple = spi.substring(spi.lastIndexOf('.') + 1);
    return simple.replaceFirst(".*[a-z](?=[A-Z])", "");
  }

  /**
   * Whether projects come with the contract kit of their kind. That of fetchers wants a server of
   * what is fetched.
   */
  boolean hasKit() {
    return this != FETCHER;
  }

  /** Flags with which a local cluster uses the module, with a place for its name. */
  String flags() {
    return flags;
  }
}
