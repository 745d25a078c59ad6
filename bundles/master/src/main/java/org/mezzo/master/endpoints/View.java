package org.mezzo.master.endpoints;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.master.reads.Root;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;

/**
 * What an answer is made from, and nothing else: it is the same for every request that has all of
 * it in common.
 *
 * @param parameters of the query, those that the endpoint knows
 */
record View(Root root, Visibility visibility, Map<String, String> parameters) {

  /** The cluster. */
  MasterState state() {
    return root.state();
  }

  /** A parameter of the query. */
  Optional<String> query(String name) {
    return Optional.ofNullable(parameters.get(name));
  }

  /** A number of the query; what is none counts as absent. */
  int number(String name, int otherwise) {
    try {
      return query(name).map(Integer::parseInt).orElse(otherwise);
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  /** The frameworks that run and may be seen. */
  List<Framework> frameworks() {
    return visible(state().frameworks().values());
  }

  /** The frameworks that are over and may be seen. */
  List<Framework> completedFrameworks() {
    return visible(state().completedFrameworks());
  }

  private List<Framework> visible(Iterable<Framework> frameworks) {
    List<Framework> visible = new ArrayList<>();
    for (Framework framework : frameworks) {
      if (visibility.framework(framework)) {
        visible.add(framework);
      }
    }
    return visible;
  }
}
