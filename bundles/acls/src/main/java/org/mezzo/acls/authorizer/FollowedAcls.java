package org.mezzo.acls.authorizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.mezzo.acls.Acls;
import org.mezzo.acls.AclsException;
import org.mezzo.acls.AclsSource;
import org.mezzo.api.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Access control lists that are read again when their file changes. A file that cannot be used
 * leaves those of before, which is logged once for each content, and counted. Safe for any thread.
 */
final class FollowedAcls {
  private static final Logger LOG = LoggerFactory.getLogger(FollowedAcls.class);

  /** Younger than this a file can change once more without its time telling. */
  private static final Duration UNSETTLED = Duration.ofSeconds(2);

  private record Stamp(FileTime modified, long size, Optional<Object> key) {}

  private final AclsSource source;
  private final Clock clock;
  private final Metrics.Counter reloads;
  private final Metrics.Counter failures;
  private Optional<Stamp> stamp;
  private String json;

  private volatile Acls acls;
  private volatile String problem = "";

  /**
   * Reads them for the first time.
   *
   * @throws AclsException when they cannot be used
   */
  FollowedAcls(AclsSource source, Clock clock, Metrics metrics) throws AclsException {
    this.source = source;
    this.clock = clock;
    // The file is looked at before it is read: what changes in between is read once more.
    stamp = source.file().flatMap(this::stamp);
    json = source.json();
    acls = source.parse(json);
    acls.warnings().forEach(warning -> LOG.warn("--acls: {}", warning));
    reloads = metrics.counter("reloads");
    failures = metrics.counter("failed_reloads");
    metrics.gauge("entries", () -> acls.size());
    metrics.gauge("outdated", () -> problem.isEmpty() ? 0 : 1);
  }

  /** Those that hold now. May read the file. */
  synchronized Acls now() {
    if (source.file().isEmpty()) {
      return acls;
    }
    Optional<Stamp> next = stamp(source.file().get());
    if (next.isEmpty() || !next.equals(stamp)) {
      reload();
      stamp = next;
    }
    return acls;
  }

  private void reload() {
    String read;
    try {
      read = source.json();
    } catch (AclsException e) {
      json = "";
      failed(e);
      return;
    }
    if (read.equals(json)) {
      return;
    }
    json = read;
    try {
      acls = source.parse(read);
    } catch (AclsException e) {
      failed(e);
      return;
    }
    problem = "";
    reloads.increment();
    acls.warnings().forEach(warning -> LOG.warn("--acls: {}", warning));
    LOG.info("Read {} entries of ACLs from {}", acls.size(), source.file().get());
  }

  private void failed(AclsException why) {
    if (!why.getMessage().equals(problem)) {
      problem = why.getMessage();
      failures.increment();
      LOG.error("The ACLs are not read again, those of before stay: {}", problem);
    }
  }

  /** Empty when the file must be read to know whether it has changed. */
  private Optional<Stamp> stamp(Path file) {
    try {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      if (now.lastModifiedTime().toInstant().plus(UNSETTLED).isAfter(clock.instant())) {
        return Optional.empty();
      }
      return Optional.of(
          new Stamp(now.lastModifiedTime(), now.size(), Optional.ofNullable(now.fileKey())));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
