package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hints of the file system that the module folder changed; none where it cannot be watched. */
final class FolderWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FolderWatch.class);

  private final WatchService watch;

  private FolderWatch(WatchService watch) {
    this.watch = watch;
  }

  /** A watch that never sees anything. */
  static FolderWatch none() {
    return new FolderWatch(null);
  }

  static FolderWatch of(Path dir) {
    try {
      WatchService watch = FileSystems.getDefault().newWatchService();
      dir.register(
          watch,
          StandardWatchEventKinds.ENTRY_CREATE,
          StandardWatchEventKinds.ENTRY_MODIFY,
          StandardWatchEventKinds.ENTRY_DELETE);
      return new FolderWatch(watch);
    } catch (IOException | UnsupportedOperationException e) {
      LOG.info("The module folder cannot be watched ({}); it is polled", e.toString());
      return none();
    }
  }

  /** Whether something happened since the last question; does not wait. */
  boolean changed() {
    WatchKey key = watch == null ? null : watch.poll();
    if (key == null) {
      return false;
    }
    key.pollEvents();
    key.reset();
    return true;
  }

  @Override
  public void close() throws IOException {
    if (watch != null) {
      watch.close();
    }
  }
}
