package org.mezzo.acls;

import java.util.Optional;

/**
 * One entry of a rule. Immutable.
 *
 * @param rule whose entry it is
 * @param index which of the rule's entries, from 0
 * @param line where it begins in the text, from 1
 * @param principals whom it is about
 * @param objects what it is about
 */
public record AclEntry(AclRule rule, int index, int line, Entity principals, Entity objects) {

  /** Whether it decides a question about that object, whoever asks. */
  boolean aboutObject(Optional<String> object) {
    return objects.about(object);
  }

  /** Where it stands, for example {@code run_tasks[2]}. */
  public String place() {
    return rule.field() + "[" + index + "]";
  }

  /** As JSON, in one line. */
  public String text() {
    return "{\"principals\": " + principals + ", \"" + rule.objectField() + "\": " + objects + "}";
  }

  @Override
  public String toString() {
    return place() + " (line " + line + "): " + text();
  }
}
