package org.mezzo.daemon.logging;

import java.time.Instant;
import java.util.Optional;
import org.osgi.service.log.LogLevel;

/**
 * The level of a logger.
 *
 * @param logger its name, which those below it begin with; {@code ROOT} for all
 * @param level what it logs, and everything more serious
 * @param until when the level before is back; empty when it holds until it is changed
 * @param by who has set it; empty when nobody has, and it is that of a logger above or of the flags
 */
public record LoggerLevel(String logger, LogLevel level, Optional<Instant> until, String by) {}
