package org.mezzo.agent.checks;

import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.NetworkInfo;

/** What is tried, again and again. */
public sealed interface Probe {

  /**
   * Runs a command where the task runs.
   *
   * @param command as the framework gave it: without a shell it may have {@code arguments} and no
   *     value (rule 238)
   */
  record Command(CommandInfo command) implements Probe {}

  /**
   * Asks for a page (rule 231).
   *
   * @param secure whether by https; nobody looks at the certificate
   * @param ipv6 whether of {@code [::1]}, else of {@code 127.0.0.1}
   * @param port unsigned, and maybe none that exists
   * @param path empty, or beginning with a slash
   */
  record Http(boolean secure, boolean ipv6, int port, String path) implements Probe {}

  /**
   * Connects.
   *
   * @param ipv6 whether to {@code ::1}, else to {@code 127.0.0.1}
   * @param port unsigned, and maybe none that exists
   */
  record Tcp(boolean ipv6, int port) implements Probe {}

  /** That of a check that was found valid (rule 78). */
  static Probe of(CheckInfo check) {
    return switch (check.getType()) {
      case COMMAND -> new Command(check.getCommand().getCommand());
      case HTTP -> new Http(false, false, check.getHttp().getPort(), check.getHttp().getPath());
      case TCP -> new Tcp(false, check.getTcp().getPort());
      case UNKNOWN -> throw new IllegalArgumentException("a check without a type");
    };
  }

  /** That of a health check that was found valid (rule 79). */
  static Probe of(HealthCheck check) {
    return switch (check.getType()) {
      case COMMAND -> new Command(check.getCommand());
      case HTTP ->
          new Http(
              check.getHttp().getScheme().equals("https"),
              check.getHttp().getProtocol() == NetworkInfo.Protocol.IPv6,
              check.getHttp().getPort(),
              check.getHttp().getPath());
      case TCP ->
          new Tcp(
              check.getTcp().getProtocol() == NetworkInfo.Protocol.IPv6, check.getTcp().getPort());
      case UNKNOWN -> throw new IllegalArgumentException("a health check without a type");
    };
  }
}
