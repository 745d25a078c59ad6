package org.mezzo.itests.container;

import org.ops4j.pax.exam.ExamSystem;
import org.ops4j.pax.exam.TestContainer;
import org.ops4j.pax.exam.TestContainerFactory;

/** Found by Pax Exam through {@code META-INF/services}. */
public final class HostContainerFactory implements TestContainerFactory {
  @Override
  public TestContainer[] create(ExamSystem system) {
    return new TestContainer[] {new HostContainer(system)};
  }
}
