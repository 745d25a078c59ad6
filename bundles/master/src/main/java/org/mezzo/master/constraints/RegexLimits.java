package org.mezzo.master.constraints;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.function.Predicate;

/**
 * How complex a regular expression of a client may be ({@code --offer_constraints_re2_max_mem},
 * {@code --offer_constraints_re2_max_program_size}).
 *
 * @param maxMemory in bytes; an instruction of a compiled expression is counted as 32
 * @param maxProgramSize in instructions of the compiled expression
 */
public record RegexLimits(long maxMemory, int maxProgramSize) {
  /** The defaults of the flags. */
  public static final RegexLimits DEFAULT = new RegexLimits(4096, 100);

  private static final int BYTES_PER_INSTRUCTION = 32;

  /** What is compiled to be measured exactly, in multiples of what is allowed. */
  private static final long WORTH_COMPILING = 100;

  /**
   * A test of whole texts, in time that is linear in their length.
   *
   * @throws InvalidConstraintsException when it is not of RE2's syntax, or too complex
   */
  Predicate<String> compile(String regex) throws InvalidConstraintsException {
    // RE2/J itself would expand nested repetitions without any bound.
    RegexShape shape = RegexShape.of(regex);
    if (shape.depth() > RegexShape.MAX_DEPTH) {
      throw invalid(regex, "nests more than " + RegexShape.MAX_DEPTH + " deep");
    }
    if (shape.repetitions() > RegexShape.MAX_REPETITIONS) {
      throw invalid(
          regex, "invalid repetition size: repeats more than " + RegexShape.MAX_REPETITIONS);
    }
    if (shape.size() > WORTH_COMPILING * maxProgramSize) {
      throw tooComplex(regex, "more than " + WORTH_COMPILING * maxProgramSize);
    }
    Pattern pattern;
    try {
      pattern = Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw invalid(regex, e.getMessage());
    }
    int size = pattern.programSize();
    if (size > maxProgramSize) {
      throw tooComplex(regex, String.valueOf(size));
    }
    if ((long) size * BYTES_PER_INSTRUCTION > maxMemory) {
      throw invalid(
          regex,
          "pattern too large: it takes "
              + size * BYTES_PER_INSTRUCTION
              + " bytes of the "
              + maxMemory
              + " that --offer_constraints_re2_max_mem allows");
    }
    return pattern::matches;
  }

  private static InvalidConstraintsException invalid(String regex, String why) {
    return new InvalidConstraintsException(
        "Failed to construct regex from pattern '" + shown(regex) + "': " + why);
  }

  private InvalidConstraintsException tooComplex(String regex, String size) {
    return new InvalidConstraintsException(
        "Regex '"
            + shown(regex)
            + "' is too complex: program size of "
            + size
            + " is larger than maximum of "
            + maxProgramSize
            + " allowed by --offer_constraints_re2_max_program_size");
  }

  private static String shown(String regex) {
    return regex.length() <= 200 ? regex : regex.substring(0, 200) + "...";
  }
}
