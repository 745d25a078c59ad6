package org.mezzo.shell.terminal;

import java.util.Collection;
import java.util.List;

/**
 * What a command's next argument can be. Called on the thread of a terminal, and answers from what
 * is at hand: nobody is asked who could keep it waiting.
 *
 * <p>Bundles that know nothing of the shell offer a {@link java.util.function.Function} from the
 * words to the values, as a service with the property {@code mezzo.command.completion}.
 */
@FunctionalInterface
public interface Completions {
  /** Knows nothing. */
  Completions NONE = (words, begun) -> List.of();

  /**
   * The values for the word behind these.
   *
   * @param words the command, without its scope, and the arguments before the one that is typed
   * @param begun what there is of that, mostly empty; values that begin otherwise are left out by
   *     the caller
   * @return empty when anything can follow; what ends in a slash goes on
   */
  Collection<String> after(List<String> words, String begun);
}
