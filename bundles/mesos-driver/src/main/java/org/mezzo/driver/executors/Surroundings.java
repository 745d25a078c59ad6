package org.mezzo.driver.executors;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.driver.wire.MessageWriter;

/** What an agent tells an executor by its environment. Immutable. */
public final class Surroundings {
  private static final Pattern DURATION = Pattern.compile("([0-9.]+)(ns|us|ms|secs|mins|hrs|days)");

  private final String agent;
  private final String frameworkId;
  private final String executorId;
  private final boolean checkpoint;
  private final long recoveryMs;
  private final long graceMs;
  private final Optional<String> token;

  private Surroundings(Map<String, String> environment) {
    String pid = environment.getOrDefault("MESOS_SLAVE_PID", "");
    this.agent =
        environment.getOrDefault("MESOS_AGENT_ENDPOINT", pid.substring(pid.indexOf('@') + 1));
    if (agent.isEmpty()) {
      throw missing("MESOS_SLAVE_PID");
    }
    this.frameworkId = required(environment, "MESOS_FRAMEWORK_ID");
    this.executorId = required(environment, "MESOS_EXECUTOR_ID");
    this.checkpoint = "1".equals(environment.get("MESOS_CHECKPOINT"));
    this.recoveryMs = milliseconds(environment, "MESOS_RECOVERY_TIMEOUT", "15mins");
    this.graceMs = milliseconds(environment, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs");
    this.token = Optional.ofNullable(environment.get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"));
  }

  /**
   * @throws IllegalArgumentException when a variable is missing or wrong; the message names it
   */
  public static Surroundings of(Map<String, String> environment) {
    return new Surroundings(environment);
  }

  private static String required(Map<String, String> environment, String name) {
    String value = environment.getOrDefault(name, "");
    if (value.isEmpty()) {
      throw missing(name);
    }
    return value;
  }

  private static IllegalArgumentException missing(String name) {
    return new IllegalArgumentException(
        "Expecting '"
            + name
            + "' to be set in the environment: executors are started by an agent, for a task that"
            + " has an ExecutorInfo, not by hand");
  }

  private static long milliseconds(Map<String, String> environment, String name, String otherwise) {
    String value = environment.getOrDefault(name, otherwise);
    Matcher duration = DURATION.matcher(value);
    if (!duration.matches()) {
      throw new IllegalArgumentException(
          name + " is '" + value + "', which is no duration such as 15mins");
    }
    return (long) (Double.parseDouble(duration.group(1)) * unit(duration.group(2)) / 1e6);
  }

  private static double unit(String name) {
    switch (name) {
      case "ns":
        return 1;
      case "us":
        return TimeUnit.MICROSECONDS.toNanos(1);
      case "ms":
        return TimeUnit.MILLISECONDS.toNanos(1);
      case "secs":
        return TimeUnit.SECONDS.toNanos(1);
      case "mins":
        return TimeUnit.MINUTES.toNanos(1);
      case "hrs":
        return TimeUnit.HOURS.toNanos(1);
      default:
        return TimeUnit.DAYS.toNanos(1);
    }
  }

  /** Where the agent listens, {@code host:port}. */
  public String agent() {
    return agent;
  }

  /** Whether to wait for an agent that went away. */
  public boolean checkpoint() {
    return checkpoint;
  }

  /** For how long to wait for an agent that went away. */
  public long recoveryMs() {
    return recoveryMs;
  }

  /** How long the process may go on after its shutdown. */
  public long graceMs() {
    return graceMs;
  }

  /** The header by which the agent knows who calls. */
  public Map<String, String> authorization() {
    return token
        .map(it -> Collections.singletonMap("Authorization", "Bearer " + it))
        .orElse(Collections.emptyMap());
  }

  byte[] encodedExecutorId() {
    return new MessageWriter().text(1, executorId).toBytes();
  }

  byte[] encodedFrameworkId() {
    return new MessageWriter().text(1, frameworkId).toBytes();
  }
}
