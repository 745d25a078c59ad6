package org.mezzo.api.authorization;

import java.util.Objects;
import java.util.Optional;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskInfo;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What an action is about. Which parts there are {@link Action} says; a part that is absent is not
 * known where the question is asked. More parts may come. Immutable.
 */
@ProviderType
public final class AuthorizationObject {
  /** No object in particular: the action is about anything. */
  public static final AuthorizationObject ANY = builder().build();

  private final Optional<String> value;
  private final Optional<FrameworkInfo> frameworkInfo;
  private final Optional<Task> task;
  private final Optional<TaskInfo> taskInfo;
  private final Optional<String> containerId;
  private final Optional<String> parentUser;

  private AuthorizationObject(Builder builder) {
    value = builder.value;
    frameworkInfo = builder.frameworkInfo;
    task = builder.task;
    taskInfo = builder.taskInfo;
    containerId = builder.containerId;
    parentUser = builder.parentUser;
  }

  /** An object without parts. */
  public static Builder builder() {
    return new Builder();
  }

  /** An object of which nothing but the value is known; without a text it is anything. */
  public static AuthorizationObject of(String value) {
    return value.isEmpty() ? ANY : builder().value(value).build();
  }

  /** What ACLs name: a role, the account that something runs as, a path. */
  public Optional<String> value() {
    return value;
  }

  /** The framework that it is or belongs to. */
  public Optional<FrameworkInfo> frameworkInfo() {
    return frameworkInfo;
  }

  /** The task, which was launched. */
  public Optional<Task> task() {
    return task;
  }

  /** The task, which is to be launched. */
  public Optional<TaskInfo> taskInfo() {
    return taskInfo;
  }

  /** The container on its agent. */
  public Optional<String> containerId() {
    return containerId;
  }

  /** The account of the container in which it is to be. */
  public Optional<String> parentUser() {
    return parentUser;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AuthorizationObject that
        && value.equals(that.value)
        && frameworkInfo.equals(that.frameworkInfo)
        && task.equals(that.task)
        && taskInfo.equals(that.taskInfo)
        && containerId.equals(that.containerId)
        && parentUser.equals(that.parentUser);
  }

  @Override
  public int hashCode() {
    return Objects.hash(value, frameworkInfo, task, taskInfo, containerId, parentUser);
  }

  /** For logs: by names and ids alone. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(value.orElse("anything"));
    frameworkInfo.ifPresent(it -> text.append(", framework ").append(it.getId().getValue()));
    task.ifPresent(it -> text.append(", task ").append(it.getTaskId().getValue()));
    taskInfo.ifPresent(it -> text.append(", task ").append(it.getTaskId().getValue()));
    containerId.ifPresent(it -> text.append(", container ").append(it));
    parentUser.ifPresent(it -> text.append(", in one of ").append(it));
    return text.toString();
  }

  /** Collects what is known of an object. For one thread. */
  public static final class Builder {
    private Optional<String> value = Optional.empty();
    private Optional<FrameworkInfo> frameworkInfo = Optional.empty();
    private Optional<Task> task = Optional.empty();
    private Optional<TaskInfo> taskInfo = Optional.empty();
    private Optional<String> containerId = Optional.empty();
    private Optional<String> parentUser = Optional.empty();

    private Builder() {}

    /** A text without characters is no value. */
    public Builder value(String known) {
      value = Optional.of(known).filter(it -> !it.isEmpty());
      return this;
    }

    public Builder frameworkInfo(FrameworkInfo known) {
      frameworkInfo = Optional.of(known);
      return this;
    }

    public Builder task(Task known) {
      task = Optional.of(known);
      return this;
    }

    public Builder taskInfo(TaskInfo known) {
      taskInfo = Optional.of(known);
      return this;
    }

    public Builder containerId(String known) {
      containerId = Optional.of(known);
      return this;
    }

    /** A text without characters is no account. */
    public Builder parentUser(String known) {
      parentUser = Optional.of(known).filter(it -> !it.isEmpty());
      return this;
    }

    public AuthorizationObject build() {
      return new AuthorizationObject(this);
    }
  }
}
