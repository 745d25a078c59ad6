package org.mezzo.daemon.logging;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.felix.service.command.Descriptor;
import org.mezzo.deployment.Deployments;
import org.mezzo.modules.ModuleLeases;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * The shell's way to the levels of loggers. A plain object, which Gogo finds by its properties. The
 * history says that the shell did it, and the shell's own audit log who was in it.
 */
@Component(
    service = LoggerCommands.class,
    property = {
      "osgi.command.scope=mezzo",
      "osgi.command.function=loglevel",
      "mezzo.command.operate=loglevel"
    })
public final class LoggerCommands {
  private static final String PRINCIPAL = "shell";

  private final LoggerLevels levels;

  @Activate
  public LoggerCommands(
      @Reference Verbosity log, @Reference ModuleLeases modules, @Reference Deployments history) {
    levels = new LoggerLevels(log, modules, history);
  }

  /** {@code mezzo:loglevel}: what somebody has set. */
  @Descriptor("lists the loggers whose level somebody has set")
  public String loglevel() {
    List<LoggerLevel> set = levels.list();
    return set.isEmpty() ? "Nobody has set the level of a logger." : text(set);
  }

  /** {@code mezzo:loglevel LOGGER}, or {@code KIND/NAME}: which level holds. */
  @Descriptor("says which level a logger has")
  public String loglevel(@Descriptor("its name, or KIND/NAME of a module") String logger) {
    return text(levels.of(logger));
  }

  /** {@code mezzo:loglevel LOGGER LEVEL}: until it is changed. */
  @Descriptor("sets the level of a logger until it is changed")
  public String loglevel(
      @Descriptor("its name, or KIND/NAME of a module") String logger,
      @Descriptor("such as DEBUG, or DEFAULT") String level) {
    return text(levels.change(logger, level, Optional.empty(), PRINCIPAL));
  }

  /** {@code mezzo:loglevel LOGGER LEVEL DURATION}: for a while. */
  @Descriptor("sets the level of a logger for a while")
  public String loglevel(
      @Descriptor("its name, or KIND/NAME of a module") String logger,
      @Descriptor("such as DEBUG") String level,
      @Descriptor("such as 10mins") String duration) {
    return text(levels.change(logger, level, Optional.of(duration), PRINCIPAL));
  }

  private static String text(List<LoggerLevel> levels) {
    return levels.stream()
        .map(
            one ->
                one.logger()
                    + " "
                    + one.level()
                    + (one.by().isEmpty() ? "" : ", set by " + one.by())
                    + one.until().map(end -> ", until " + end).orElse(""))
        .collect(Collectors.joining("\n"));
  }
}
