package org.mezzo.itests.allocators;

/** Throws in every call. Goes into test bundles. */
public final class ThrowingAllocator extends IdleAllocator {
  @Override
  protected void called() {
    throw new IllegalStateException("no allocation today");
  }
}
