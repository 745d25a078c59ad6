package org.mezzo.agent.tasks;

import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.protocol.v1.ResourceStatistics;

/**
 * What executors use of the machine. Safe for any thread.
 *
 * @param containerizer asks those who measure
 */
public record ContainerUsage(Containerizer containerizer) {

  /**
   * What one uses; of an executor without a process what the containers of its tasks use together.
   *
   * @return empty where nothing is known; never completes exceptionally because of an isolator
   */
  public CompletionStage<Optional<ResourceStatistics>> of(AgentTasks.ExecutorView executor) {
    if (executor.nested().isEmpty()) {
      return containerizer.usage(ContainerId.of(executor.containerId()));
    }
    CompletionStage<Optional<ResourceStatistics>> sum =
        CompletableFuture.completedStage(Optional.empty());
    for (ContainerId container : executor.nested()) {
      sum = sum.thenCombine(containerizer.usage(container), ContainerUsage::sum);
    }
    return sum;
  }

  /** Numbers of both together; what is not a number is left out. */
  static Optional<ResourceStatistics> sum(
      Optional<ResourceStatistics> one, Optional<ResourceStatistics> other) {
    if (one.isEmpty() || other.isEmpty()) {
      return one.or(() -> other);
    }
    ResourceStatistics.Builder sum = ResourceStatistics.newBuilder();
    for (FieldDescriptor field : ResourceStatistics.getDescriptor().getFields()) {
      if (field.isRepeated() || !(one.get().hasField(field) || other.get().hasField(field))) {
        continue;
      }
      Object a = one.get().getField(field);
      Object b = other.get().getField(field);
      switch (field.getJavaType()) {
        case DOUBLE ->
            sum.setField(
                field,
                field.getName().equals("timestamp")
                    ? Math.max((Double) a, (Double) b)
                    : (Double) a + (Double) b);
        case LONG -> sum.setField(field, (Long) a + (Long) b);
        case INT -> sum.setField(field, (Integer) a + (Integer) b);
        default -> {}
      }
    }
    return Optional.of(sum.build());
  }
}
