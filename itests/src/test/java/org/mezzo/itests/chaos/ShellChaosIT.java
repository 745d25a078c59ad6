package org.mezzo.itests.chaos;

/** The same with the shell launcher, which agents have where there is no native one. */
class ShellChaosIT extends ChaosIT {
  @Override
  String launcher() {
    return "shell";
  }

  /** No test here: it is about what looks, not about what is looked at, and once is enough. */
  @Override
  void anUpdateThatIsLostAndWhatIsLeftAreNoticed() {}
}
