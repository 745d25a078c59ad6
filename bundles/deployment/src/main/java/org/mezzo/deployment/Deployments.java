package org.mezzo.deployment;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Installs, swaps and removes module bundles; nothing else in a host does. What is wanted are the
 * jars of the hot folder, so the methods that change something change the folder, too; where the
 * folder cannot be written, the change holds until the host stops, and its outcome says so.
 *
 * <p>All methods are safe for any thread. Changes are made one after the other on a thread of their
 * own; stages complete there, normally also when the change failed.
 */
@ProviderType
public interface Deployments {

  /** What is wanted and what has become of it, by symbolic name; a snapshot. */
  List<Deployment> list();

  /** The last changes, the newest first, those of earlier processes too. */
  List<Action> history();

  /** What is not tried again until somebody asks for it, the latest verdict first. */
  List<Verdict> verdicts();

  /**
   * Bundles that were removed and whose classes cannot be freed, with their loaders and the threads
   * that may hold them; known once the collector has looked twice.
   */
  List<String> leaks();

  /** The hot folder; empty when this host has none. */
  Optional<Path> folder();

  /**
   * Installs a jar. One with the symbolic name of an installed module and another version is
   * swapped without a gap; one with the same version as well is updated in place. What was held
   * against exactly this content counts no more: it is tried again.
   *
   * @param jar read before the stage completes; not changed
   * @param principal who asks, for the history
   * @throws IllegalArgumentException when no jar can be called so in a hot folder
   */
  CompletionStage<Action> install(Path jar, String principal);

  /**
   * The same from a stream, which is read to its end before the method returns and is not closed.
   *
   * @param fileName what to call the jar in the hot folder: it ends in {@code .jar}, does not begin
   *     with a dot, and has no slashes
   * @throws IllegalArgumentException for another name, before anything is read
   * @throws IOException when the stream fails or the jar cannot be kept
   */
  CompletionStage<Action> install(String fileName, InputStream jar, String principal)
      throws IOException;

  /** As {@link #install(Path, String)}, but fails when no module has the jar's symbolic name. */
  CompletionStage<Action> swap(Path jar, String principal);

  /** Takes every lease from a module bundle, stops and removes it and its jar. */
  CompletionStage<Action> uninstall(String symbolicName, String principal);

  /** As {@link #install(Path, String)} by nobody in particular. */
  default CompletionStage<Action> install(Path jar) {
    return install(jar, UNKNOWN);
  }

  /** As {@link #swap(Path, String)} by nobody in particular. */
  default CompletionStage<Action> swap(Path jar) {
    return swap(jar, UNKNOWN);
  }

  /** As {@link #uninstall(String, String)} by nobody in particular. */
  default CompletionStage<Action> uninstall(String symbolicName) {
    return uninstall(symbolicName, UNKNOWN);
  }

  /** The principal of who does not say. */
  String UNKNOWN = "somebody";
}
