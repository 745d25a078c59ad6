package org.mezzo.containerizer;

import java.util.List;

/** The same with the native launcher. */
class NativeRecoveryTest extends RecoveryTest {
  @Override
  FakeAgent agent() {
    return super.agent().launching(NativeLaunchers.built());
  }

  @Override
  List<String> options() {
    return List.of("-Dmezzo.test.native=true");
  }
}
