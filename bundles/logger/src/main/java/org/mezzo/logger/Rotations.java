package org.mezzo.logger;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.api.logger.LogPlan;

/**
 * How small files are kept, as a module's parameters and the environment of a container say. The
 * latter's names are those of the former in capitals behind a prefix.
 *
 * @param parameters of the module
 */
record Rotations(Map<String, String> parameters) {
  private static final String PREFIX = "environment_variable_prefix";
  private static final String DEFAULT_PREFIX = "CONTAINER_LOGGER_";
  private static final String DEFAULT_SIZE = "10MB";
  private static final String DEFAULT_FILES = "4";
  private static final Pattern SIZE = Pattern.compile("(\\d{1,15})(B|KB|MB|GB|TB)");
  private static final Pattern COUNT = Pattern.compile("\\d{1,6}");

  /**
   * What is to become of the files of a container.
   *
   * @param environment the container's
   * @throws IllegalArgumentException when a number cannot be, with where it stands
   */
  LogPlan plan(Map<String, String> environment) {
    return LogPlan.rotated(rotation("stdout", environment), rotation("stderr", environment));
  }

  private LogPlan.Rotation rotation(String stream, Map<String, String> environment) {
    Setting size = setting("max_" + stream + "_size", DEFAULT_SIZE, environment);
    Setting files = setting("max_" + stream + "_files", DEFAULT_FILES, environment);
    long bytes = bytes(size);
    int older = count(files);
    if (bytes < LogPlan.Rotation.LEAST_BYTES) {
      throw size.wrong("at least " + LogPlan.Rotation.LEAST_BYTES + "B are needed");
    }
    if (older > LogPlan.Rotation.MOST_OLDER) {
      throw files.wrong("at most " + LogPlan.Rotation.MOST_OLDER + " older files can be kept");
    }
    return new LogPlan.Rotation(bytes, older);
  }

  /** What somebody has set, and where. */
  private record Setting(String where, String value) {
    IllegalArgumentException wrong(String why) {
      return new IllegalArgumentException(where + " is '" + value + "'; " + why);
    }
  }

  private Setting setting(String name, String otherwise, Map<String, String> environment) {
    String variable =
        parameters.getOrDefault(PREFIX, DEFAULT_PREFIX) + name.toUpperCase(Locale.ROOT);
    return Optional.ofNullable(environment.get(variable))
        .map(value -> new Setting("the variable " + variable, value))
        .orElseGet(
            () -> new Setting("the parameter " + name, parameters.getOrDefault(name, otherwise)));
  }

  private static long bytes(Setting size) {
    Matcher matcher = SIZE.matcher(size.value().strip());
    if (!matcher.matches()) {
      throw size.wrong("give a whole number with B, KB, MB, GB or TB, such as 10MB");
    }
    int steps =
        switch (matcher.group(2)) {
          case "KB" -> 1;
          case "MB" -> 2;
          case "GB" -> 3;
          case "TB" -> 4;
          default -> 0;
        };
    long number = Long.parseLong(matcher.group(1));
    if (number > Long.MAX_VALUE >> 10 * steps) {
      throw size.wrong("no disk has so many bytes");
    }
    return number << 10 * steps;
  }

  private static int count(Setting files) {
    if (!COUNT.matcher(files.value().strip()).matches()) {
      throw files.wrong("give the number of older files, such as 4");
    }
    return Integer.parseInt(files.value().strip());
  }
}
