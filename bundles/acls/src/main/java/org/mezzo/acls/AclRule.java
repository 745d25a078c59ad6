package org.mezzo.acls;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The rules that access control lists may have, in the order of {@code mesos.ACLs}, and behind them
 * those that are Mezzo's own. Each is a list of entries, of which the first that is about a
 * question answers it.
 */
public enum AclRule {
  REGISTER_FRAMEWORKS("roles", Objects.ROLES, "REGISTER_FRAMEWORK"),
  RUN_TASKS("users", Objects.NAMES, "RUN_TASK"),
  RESERVE_RESOURCES("roles", Objects.ROLES, "RESERVE_RESOURCES"),
  UNRESERVE_RESOURCES("reserver_principals", Objects.NAMES, "UNRESERVE_RESOURCES"),
  CREATE_VOLUMES("roles", Objects.ROLES, "CREATE_VOLUME"),
  DESTROY_VOLUMES("creator_principals", Objects.NAMES, "DESTROY_VOLUME"),
  TEARDOWN_FRAMEWORKS("framework_principals", Objects.NAMES, "TEARDOWN_FRAMEWORK"),
  UPDATE_WEIGHTS("roles", Objects.ROLES, "UPDATE_WEIGHT"),
  GET_ENDPOINTS("paths", Objects.PATHS, "GET_ENDPOINT_WITH_PATH"),
  GET_QUOTAS("roles", Objects.ROLES, "GET_QUOTA"),
  UPDATE_QUOTAS("roles", Objects.ROLES, "UPDATE_QUOTA", "UPDATE_QUOTA_WITH_CONFIG"),
  VIEW_FRAMEWORKS("users", Objects.NAMES, "VIEW_FRAMEWORK"),
  VIEW_TASKS("users", Objects.NAMES, "VIEW_TASK"),
  VIEW_EXECUTORS("users", Objects.NAMES, "VIEW_EXECUTOR"),
  ACCESS_SANDBOXES("users", Objects.NAMES, "ACCESS_SANDBOX"),
  ACCESS_MESOS_LOGS("logs", Objects.ANYTHING, "ACCESS_MESOS_LOG"),
  VIEW_ROLES("roles", Objects.ROLES, "VIEW_ROLE"),
  VIEW_FLAGS("flags", Objects.ANYTHING, "VIEW_FLAGS"),
  LAUNCH_NESTED_CONTAINERS_AS_USER("users", Objects.NAMES, "LAUNCH_NESTED_CONTAINER"),
  LAUNCH_NESTED_CONTAINERS_UNDER_PARENT_WITH_USER(
      "users", Objects.NAMES, "LAUNCH_NESTED_CONTAINER"),
  KILL_NESTED_CONTAINERS("users", Objects.NAMES, "KILL_NESTED_CONTAINER"),
  WAIT_NESTED_CONTAINERS("users", Objects.NAMES, "WAIT_NESTED_CONTAINER"),
  LAUNCH_NESTED_CONTAINER_SESSIONS_AS_USER(
      "users", Objects.NAMES, "LAUNCH_NESTED_CONTAINER_SESSION"),
  LAUNCH_NESTED_CONTAINER_SESSIONS_UNDER_PARENT_WITH_USER(
      "users", Objects.NAMES, "LAUNCH_NESTED_CONTAINER_SESSION"),
  ATTACH_CONTAINERS_INPUT("users", Objects.NAMES, "ATTACH_CONTAINER_INPUT"),
  ATTACH_CONTAINERS_OUTPUT("users", Objects.NAMES, "ATTACH_CONTAINER_OUTPUT"),
  VIEW_CONTAINERS("users", Objects.NAMES, "VIEW_CONTAINER"),
  SET_LOG_LEVEL("level", Objects.ANYTHING, "SET_LOG_LEVEL"),
  REMOVE_NESTED_CONTAINERS("users", Objects.NAMES, "REMOVE_NESTED_CONTAINER"),
  REGISTER_AGENTS("agents", Objects.ANYTHING, "REGISTER_AGENT"),
  UPDATE_MAINTENANCE_SCHEDULES("machines", Objects.ANYTHING, "UPDATE_MAINTENANCE_SCHEDULE"),
  GET_MAINTENANCE_SCHEDULES("machines", Objects.ANYTHING, "GET_MAINTENANCE_SCHEDULE"),
  START_MAINTENANCES("machines", Objects.ANYTHING, "START_MAINTENANCE"),
  STOP_MAINTENANCES("machines", Objects.ANYTHING, "STOP_MAINTENANCE"),
  GET_MAINTENANCE_STATUSES("machines", Objects.ANYTHING, "GET_MAINTENANCE_STATUS"),
  DRAIN_AGENTS("agents", Objects.IMPLICIT, "DRAIN_AGENT"),
  DEACTIVATE_AGENTS("agents", Objects.IMPLICIT, "DEACTIVATE_AGENT"),
  REACTIVATE_AGENTS("agents", Objects.IMPLICIT, "REACTIVATE_AGENT"),
  MARK_AGENTS_GONE("agents", Objects.IMPLICIT, "MARK_AGENT_GONE"),
  LAUNCH_STANDALONE_CONTAINERS("users", Objects.IMPLICIT, "LAUNCH_STANDALONE_CONTAINER"),
  KILL_STANDALONE_CONTAINERS("users", Objects.IMPLICIT, "KILL_STANDALONE_CONTAINER"),
  WAIT_STANDALONE_CONTAINERS("users", Objects.IMPLICIT, "WAIT_STANDALONE_CONTAINER"),
  REMOVE_STANDALONE_CONTAINERS("users", Objects.IMPLICIT, "REMOVE_STANDALONE_CONTAINER"),
  VIEW_STANDALONE_CONTAINERS("users", Objects.IMPLICIT, "VIEW_STANDALONE_CONTAINER"),
  MODIFY_RESOURCE_PROVIDER_CONFIGS(
      "resource_providers", Objects.IMPLICIT, "MODIFY_RESOURCE_PROVIDER_CONFIG"),
  MARK_RESOURCE_PROVIDERS_GONE(
      "resource_providers", Objects.IMPLICIT, "MARK_RESOURCE_PROVIDER_GONE"),
  VIEW_RESOURCE_PROVIDERS("resource_providers", Objects.IMPLICIT, "VIEW_RESOURCE_PROVIDER"),
  PRUNE_IMAGES("images", Objects.IMPLICIT, "PRUNE_IMAGES"),
  RESIZE_VOLUMES("roles", Objects.ROLES, "RESIZE_VOLUME"),
  CREATE_BLOCK_DISKS("roles", Objects.ROLES, "CREATE_BLOCK_DISK"),
  DESTROY_BLOCK_DISKS("roles", Objects.ROLES, "DESTROY_BLOCK_DISK"),
  CREATE_MOUNT_DISKS("roles", Objects.ROLES, "CREATE_MOUNT_DISK"),
  DESTROY_MOUNT_DISKS("roles", Objects.ROLES, "DESTROY_MOUNT_DISK"),
  DESTROY_RAW_DISKS("roles", Objects.ROLES, "DESTROY_RAW_DISK"),
  VIEW_MODULES("modules", Objects.ANYTHING, "VIEW_MODULES"),
  CHANGE_MODULES("modules", Objects.ANYTHING, "CHANGE_MODULES");

  /** What the objects of a rule are. */
  public enum Objects {
    /** Names, which are compared letter by letter. */
    NAMES,
    /** Roles; {@code a/%} stands for every role below {@code a}, and not for {@code a} itself. */
    ROLES,
    /** Paths of endpoints, of which only some are asked about. */
    PATHS,
    /** Nothing in particular; an entry that names something is refused. */
    ANYTHING,
    /** Nothing in particular; an entry that names something is about nothing. */
    IMPLICIT;

    /** Whether a question can be about one of several objects. */
    boolean named() {
      return this != ANYTHING && this != IMPLICIT;
    }
  }

  private final String objectField;
  private final Objects objects;
  private final List<String> actions;

  AclRule(String objectField, Objects objects, String... actions) {
    this.objectField = objectField;
    this.objects = objects;
    this.actions = List.of(actions);
  }

  /** Its name in the JSON, for example {@code run_tasks}. */
  public String field() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The field of an entry that says what it is about, for example {@code users}. */
  public String objectField() {
    return objectField;
  }

  /** What it is about. */
  public Objects objects() {
    return objects;
  }

  /** Whether its objects are accounts of the container in which something is to be launched. */
  public boolean aboutParent() {
    return name().endsWith("_UNDER_PARENT_WITH_USER");
  }

  /** The names of the actions that it allows or refuses, for example {@code RUN_TASK}. */
  public List<String> actions() {
    return actions;
  }

  /** The rule of a field of the JSON. */
  public static Optional<AclRule> ofField(String field) {
    return Arrays.stream(values()).filter(rule -> rule.field().equals(field)).findFirst();
  }

  /** The rules that all have to allow an action; none when no rule is about it. */
  public static List<AclRule> ofAction(String action) {
    return Arrays.stream(values()).filter(rule -> rule.actions.contains(action)).toList();
  }
}
