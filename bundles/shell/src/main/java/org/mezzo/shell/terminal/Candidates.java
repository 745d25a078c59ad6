package org.mezzo.shell.terminal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jline.reader.Candidate;

/** Makes of what can follow as much as is shown. */
final class Candidates {
  /** A terminal has not many more lines, and clusters have thousands of agents. */
  private static final int MOST = 100;

  private Candidates() {}

  /**
   * Those that begin with something, in order. Of too many it is the first ones and the last: they
   * have in common what all of them have, so that the terminal completes no more than that.
   */
  static List<Candidate> of(Collection<String> values, String begun) {
    List<String> fitting =
        values.stream().filter(value -> value.startsWith(begun)).sorted().distinct().toList();
    List<String> shown = new ArrayList<>(fitting.subList(0, Math.min(MOST, fitting.size())));
    if (fitting.size() > MOST) {
      shown.set(MOST - 1, fitting.get(fitting.size() - 1));
    }
    return shown.stream().map(Candidates::candidate).toList();
  }

  private static Candidate candidate(String value) {
    return new Candidate(value, value, null, null, null, null, !value.endsWith("/"));
  }
}
