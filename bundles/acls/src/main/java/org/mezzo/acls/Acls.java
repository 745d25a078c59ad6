package org.mezzo.acls;

import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Access control lists. Immutable, safe for any thread.
 *
 * <p>A question is who (a principal, or nobody known), a rule, and about what (an object, or
 * nothing in particular). Of the rule's entries the first decides whose principals and objects the
 * question is about: an entity that names values is about these, one of type ANY or NONE is about
 * everything. It allows the question unless one of the two is NONE. Where no entry is about it,
 * {@code permissive} decides.
 */
public final class Acls {
  private final boolean permissive;
  private final Map<AclRule, List<AclEntry>> entries;
  private final List<String> warnings;

  Acls(boolean permissive, Map<AclRule, List<AclEntry>> entries, List<String> warnings) {
    this.permissive = permissive;
    this.entries = new EnumMap<>(AclRule.class);
    entries.forEach((rule, list) -> this.entries.put(rule, List.copyOf(list)));
    this.warnings = List.copyOf(warnings);
  }

  /**
   * What a JSON text says.
   *
   * @throws AclsException when it is not such a text; names the field and the line
   */
  public static Acls parse(String json) throws AclsException {
    return AclsParser.parse(json);
  }

  /** Whether what no entry is about is allowed. */
  public boolean permissive() {
    return permissive;
  }

  /** The entries of a rule, in their order. */
  public List<AclEntry> entries(AclRule rule) {
    return entries.getOrDefault(rule, List.of());
  }

  /** How many entries there are. */
  public int size() {
    return entries.values().stream().mapToInt(List::size).sum();
  }

  /** What is ignored, or has no meaning, and why: likely mistakes of who wrote it. */
  public List<String> warnings() {
    return warnings;
  }

  /**
   * What somebody may do, prepared for many questions.
   *
   * @param principal empty for a request that was not authenticated
   * @param rules all that may be asked about
   */
  public Subject subject(Optional<String> principal, Collection<AclRule> rules) {
    Map<AclRule, List<AclEntry>> about = new EnumMap<>(AclRule.class);
    for (AclRule rule : rules) {
      about.put(
          rule,
          entries(rule).stream().filter(entry -> entry.principals().about(principal)).toList());
    }
    return new Subject(principal, about, permissive);
  }

  /** What one principal may do. Immutable, safe for any thread; does no I/O. */
  public static final class Subject {
    private final Optional<String> principal;
    private final Map<AclRule, List<AclEntry>> about;
    private final boolean permissive;

    private Subject(
        Optional<String> principal, Map<AclRule, List<AclEntry>> about, boolean permissive) {
      this.principal = principal;
      this.about = about;
      this.permissive = permissive;
    }

    /**
     * Answers a question.
     *
     * @param rule one of those that this was made for
     * @param object what it is about; empty for nothing in particular
     * @throws IllegalArgumentException for another rule
     */
    public Decision decide(AclRule rule, Optional<String> object) {
      List<AclEntry> list = about.get(rule);
      if (list == null) {
        throw new IllegalArgumentException("Nobody said that " + rule.field() + " is asked about");
      }
      Optional<String> asked = rule.objects().named() ? object : Optional.empty();
      for (AclEntry entry : list) {
        if (entry.aboutObject(asked)) {
          boolean allowed = entry.principals().allows(principal) && entry.objects().allows(asked);
          return new Decision(allowed, rule, Optional.of(entry));
        }
      }
      return new Decision(permissive, rule, Optional.empty());
    }
  }
}
