package org.mezzo.containerizer;

/** The same with the native launcher. */
class NativeContainerizerTest extends ContainerizerTest {
  @Override
  FakeAgent agent() {
    return super.agent().launching(NativeLaunchers.built());
  }
}
