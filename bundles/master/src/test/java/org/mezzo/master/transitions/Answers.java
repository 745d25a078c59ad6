package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.List;

/** What became of changes that operators wanted, as it was told to them. */
final class Answers {
  private final List<String> told = new ArrayList<>();

  /** To be told. */
  final Outcome outcome =
      new Outcome(
          refusal -> told.add(refusal.map(it -> it.status() + " " + it.text()).orElse("200")));

  /** Those that the last step gave. */
  List<String> of(Given given) {
    told.clear();
    given.effects(Effect.Answer.class).forEach(it -> it.answer().run());
    return List.copyOf(told);
  }
}
