package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.osgi.framework.BundleContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Copies of what runs, so that an update in place can be taken back. */
final class Copies {
  private static final Logger LOG = LoggerFactory.getLogger(Copies.class);

  private final BundleContext context;

  Copies(BundleContext context) {
    this.context = context;
  }

  void keep(Installed entry, Path content) {
    Path copy = context.getDataFile(entry.jar.digest() + ".jar").toPath();
    try {
      if (!Files.exists(copy)) {
        Path partial = context.getDataFile(entry.jar.digest() + ".part").toPath();
        Files.copy(content, partial, StandardCopyOption.REPLACE_EXISTING);
        Files.move(partial, copy, StandardCopyOption.ATOMIC_MOVE);
      }
      if (entry.kept != null && !entry.kept.equals(copy)) {
        discard(entry.kept);
      }
      entry.kept = copy;
    } catch (IOException e) {
      LOG.warn("{} cannot be kept; an update of it in place could not be taken back", content, e);
    }
  }

  /** Deletes a file that may be null or gone. */
  static void discard(Path kept) {
    if (kept != null) {
      try {
        Files.deleteIfExists(kept);
      } catch (IOException e) {
        LOG.debug("{} stays", kept, e);
      }
    }
  }
}
