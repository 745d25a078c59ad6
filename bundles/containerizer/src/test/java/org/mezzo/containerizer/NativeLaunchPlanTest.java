package org.mezzo.containerizer;

import org.mezzo.api.isolator.LaunchPlan;

/** The same with the native launcher. */
class NativeLaunchPlanTest extends LaunchPlanTest {
  @Override
  FakeAgent agent(LaunchPlan a, LaunchPlan b) {
    return super.agent(a, b).launching(NativeLaunchers.built());
  }
}
