package org.mezzo.shell.terminal;

import java.util.List;

/** What a command's next argument can be. Called on the thread of a terminal. */
@FunctionalInterface
public interface Completions {
  /** Knows nothing. */
  Completions NONE = words -> List.of();

  /**
   * The values for the word behind these.
   *
   * @param words the command, with its scope, and the arguments before the one that is typed
   * @return empty when anything can follow
   */
  List<String> after(List<String> words);
}
