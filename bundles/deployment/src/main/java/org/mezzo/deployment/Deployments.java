package org.mezzo.deployment;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
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

  /**
   * The jars that came with the distribution, by name; none where that does not know them. They
   * need no signature.
   */
  List<Shipped> shipped();

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

  /** What else has to be so for a jar to be installed. */
  enum Condition {
    /** A bundle with its symbolic name is installed, which it is to replace. */
    REPLACES,
    /** No higher version of it is installed. */
    NOT_LOWER
  }

  /**
   * As {@link #install(Path, String)}, where certain things are so; where they are not, the change
   * fails and says what is.
   *
   * @param jar to be left alone until the stage completes
   * @param fileName what to call it in the hot folder, as above
   * @throws IllegalArgumentException for another name
   */
  CompletionStage<Action> install(
      Path jar, String fileName, Set<Condition> conditions, String principal);

  /** As {@link #install(Path, String)}, but fails when no module has the jar's symbolic name. */
  default CompletionStage<Action> swap(Path jar, String principal) {
    return install(
        jar, Objects.toString(jar.getFileName(), ""), Set.of(Condition.REPLACES), principal);
  }

  /**
   * Goes back to what ran before the version of a module bundle that runs now, in the way in which
   * that came; fails when nothing did that is still kept and may run. The version that is left is
   * held against itself: it is not tried again until somebody asks for it.
   */
  CompletionStage<Action> rollback(String symbolicName, String principal);

  /**
   * Says what would become of a jar if it were installed, without any change and without running
   * any of its code: whether it is one, what it holds, what speaks against it and what it lacks.
   *
   * @param jar to be left alone until the stage completes
   * @param fileName what it is called, for what is said of it
   */
  CompletionStage<Verification> verify(Path jar, String fileName);

  /** Takes every lease from a module bundle, stops and removes it and its jar. */
  CompletionStage<Action> uninstall(String symbolicName, String principal);

  /**
   * Changes parameters of a module for all daemons of the process, for as long as nobody changes
   * them again: what is set so stands above {@code --modules}. The module tries them in a rehearsal
   * first; then each instance takes them while it runs, or another one that was opened with them
   * takes over. Where one cannot, or is not well with them, nothing is changed.
   *
   * @param module its name, or {@code KIND/NAME}
   * @param set values by name
   * @param unset names of those for which {@code --modules} or the module's own default is to hold
   *     again
   */
  CompletionStage<Action> configure(
      String module, Map<String, String> set, Set<String> unset, String principal);

  /**
   * Writes into the history that somebody has changed the level of a logger, which is not for
   * deployment to do. Writes to the disk, and waits for no change that is under way.
   *
   * @param logger whose level it is, or the module, as {@code hook/audit}
   * @param from the level before
   * @param to the level from now on
   * @param outcome one line in plain words
   */
  Action noteLogLevel(String logger, String from, String to, String principal, String outcome);

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

  /**
   * Checks what somebody wants a jar to be called in a hot folder, where no name leads out of it.
   *
   * @return the name
   * @throws IllegalArgumentException with a message for whoever asks, when no jar can be called so
   */
  static String checkedName(String fileName) {
    boolean jar =
        fileName.length() > ".jar".length()
            && fileName.endsWith(".jar")
            && !fileName.startsWith(".")
            && fileName.chars().noneMatch(c -> c == '/' || c == '\\' || Character.isISOControl(c));
    if (!jar) {
      throw new IllegalArgumentException(
          "'"
              + fileName
              + "' is no name for a jar in the module folder: it must end in .jar, must not begin"
              + " with a dot, and has no slashes and no control characters. Call it, for example,"
              + " hooks.jar");
    }
    return fileName;
  }

  /** The principal of who does not say. */
  String UNKNOWN = "somebody";
}
