package org.mezzo.deployment.bundles;

import java.util.List;
import java.util.Set;
import org.mezzo.deployment.folder.ModuleJar;
import org.osgi.framework.Bundle;

/** A module bundle that deployment installed. Only deployment's thread touches it. */
final class Installed {
  final Bundle bundle;
  ModuleJar jar;

  /** Whether it is there because of the folder, which may hold something else that was refused. */
  boolean inFolder;

  /**
   * Digests of jars in the folder that stay there and do not run: this one was asked for, and the
   * folder could not be changed.
   */
  Set<String> overrides = Set.of();

  long absentSinceNanos;
  int absentLooks;

  /** It failed when it rehearsed, and nothing was good before that could run instead. */
  boolean stageFright;

  String problem = "";
  String state = "active";

  /** What is kept to go back to at once, and with whom; null when nothing is. */
  Succession succession;

  /** What an operator should know though nothing is wrong; empty when there is nothing. */
  String notice = "";

  /** Since when daemons have used it without trouble; 0 while none does. */
  long healthySinceNanos;

  /** What it declares, each as kind and name; empty while it is not known. */
  List<String> modules = List.of();

  Installed(Bundle bundle, ModuleJar jar, boolean inFolder) {
    this.bundle = bundle;
    this.jar = jar;
    this.inFolder = inFolder;
  }

  /** Symbolic name and version. */
  String name() {
    return jar.symbolicName() + " " + version();
  }

  String version() {
    return bundle.getVersion().toString();
  }

  /** The folder has it from now on. */
  void inFolderAs(ModuleJar there) {
    jar = there;
    inFolder = true;
    overrides = Set.of();
    notice = "";
  }

  /** The folder has others, and cannot be changed. */
  void override(Set<String> digests, String why) {
    overrides = Set.copyOf(digests);
    notice = why;
  }

  /** It has other content from now on. */
  void replaced(ModuleJar by) {
    jar = by;
    overrides = Set.of();
    notice = "";
    absentLooks = 0;
    healthySinceNanos = 0;
  }

  void active() {
    state = "active";
    problem = "";
  }

  void failed(String why) {
    state = "failed";
    problem = why;
  }

  /** It could not be started: it waits for what it needs, or it is broken. */
  void notStarted(String why) {
    state = bundle.getState() == Bundle.INSTALLED ? "unresolved" : "failed";
    problem = why;
  }
}
