package org.mezzo.containerizer;

/** The same with the native launcher. */
class NativeNestedContainersTest extends NestedContainersTest {
  @Override
  FakeAgent agent() {
    return super.agent().launching(NativeLaunchers.built());
  }

  @Override
  boolean entersNetworks() {
    return true;
  }
}
