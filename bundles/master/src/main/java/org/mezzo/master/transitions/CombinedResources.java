package org.mezzo.master.transitions;

import static org.mezzo.master.transitions.TaskValidation.prefix;

import java.util.List;
import java.util.Optional;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.ResourceChecks;
import org.mezzo.resources.ResourceKind;
import org.mezzo.resources.Resources;

/** What cannot be wanted together by a task, or the tasks of a group, and their executor. */
final class CombinedResources {
  private CombinedResources() {}

  /**
   * What is wrong with the sum, as far as it is not about what is left of offers (rule 86).
   *
   * @param who wants it
   * @param all what everybody wants
   * @param parts the same, by who wants it
   */
  static Optional<String> problem(String who, List<Resource> all, List<Resources> parts) {
    return prefix(who + " use duplicate persistence ID: ", TaskValidation.duplicateVolume(all))
        .or(
            () ->
                prefix(
                    who + " mix revocable and non-revocable resources: ",
                    ResourceChecks.checkRevocableMix(all)))
        .or(() -> overlap(who, parts));
  }

  /** What has an identity, such as a port, can be given to one only. */
  private static Optional<String> overlap(String who, List<Resources> parts) {
    List<Resources> distinct =
        parts.stream()
            .map(part -> part.filter(it -> it.type() != ResourceKind.Type.SCALAR))
            .filter(part -> !part.isEmpty())
            .toList();
    Resources total = Resources.sum(distinct);
    for (String name : total.names()) {
      long wanted = distinct.stream().mapToLong(part -> part.quantities().get(name)).sum();
      if (wanted > total.quantities().get(name)) {
        return Optional.of(who + " use overlapping resources: " + name + " of " + distinct);
      }
    }
    return Optional.empty();
  }
}
