package org.mezzo.itests.arrows;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a text cites of {@code docs/spec}: "rule 58", "rules 53 to 59 and 70", "state-json section
 * 9".
 */
final class Citations {
  private static final String NUMBER = "\\d+(?:(?:-|–| to )\\d+)?";
  private static final Pattern RULES =
      Pattern.compile(
          "\\b[Rr]ules? (" + NUMBER + "(?:(?:, and | and |, or | or |, )" + NUMBER + ")*)");
  private static final Pattern RANGE = Pattern.compile("(\\d+)(?:(?:-|–| to )(\\d+))?");
  private static final Pattern SECTIONS =
      Pattern.compile("\\b([a-z]+(?:-[a-z]+)*)(?:\\.md)? sections? (\\d+(?:\\.\\d+)*)");
  private static final Pattern STATED = Pattern.compile("^(\\d+)\\. ", Pattern.MULTILINE);
  private static final Pattern HEADING =
      Pattern.compile("^#+ (\\d+(?:\\.\\d+)*)\\.? ", Pattern.MULTILINE);

  private final Set<Integer> rules;
  private final Map<String, Set<String>> sections = new TreeMap<>();

  /**
   * @param rules the page with the numbered rules
   * @param pages the pages with numbered sections, by name without {@code .md}
   */
  Citations(String rules, Map<String, String> pages) {
    this.rules = new HashSet<>();
    STATED
        .matcher(rules)
        .results()
        .forEach(rule -> this.rules.add(Integer.parseInt(rule.group(1))));
    pages.forEach(
        (name, page) -> {
          Set<String> numbers = new HashSet<>();
          HEADING.matcher(page).results().forEach(heading -> numbers.add(heading.group(1)));
          sections.put(name, numbers);
        });
  }

  /** What the text cites and no page states, in the order of the text. */
  List<String> unstated(String text) {
    // A citation may be broken over two lines of a comment.
    String flat = text.replaceAll("\\s*\\R\\s*(?:\\*(?!/)|//+|#+)?\\s*", " ");
    List<String> unstated = new ArrayList<>();
    Matcher cited = RULES.matcher(flat);
    while (cited.find()) {
      Matcher range = RANGE.matcher(cited.group(1));
      while (range.find()) {
        int first = Integer.parseInt(range.group(1));
        int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
        for (int rule = first; rule <= last; rule++) {
          if (!rules.contains(rule)) {
            unstated.add("rule " + rule);
          }
        }
      }
    }
    Matcher section = SECTIONS.matcher(flat);
    while (section.find()) {
      Set<String> known = sections.get(section.group(1));
      if (known != null && !known.contains(section.group(2))) {
        unstated.add(section.group(1) + " section " + section.group(2));
      }
    }
    return unstated;
  }
}
