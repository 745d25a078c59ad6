package org.mezzo.api.authorization;

/**
 * What is asked about, by the names of Mesos. Each says what of its {@link AuthorizationObject} is
 * known. More may come: an authorizer refuses what it does not know.
 */
public enum Action {
  /**
   * By a scheduler, for each of its roles. Value: the role; and the framework as it wants to be.
   */
  REGISTER_FRAMEWORK,
  /** By an agent, whenever it registers: about anything. */
  REGISTER_AGENT,
  /**
   * For each role for which something is to be reserved, or of an agent that registers is reserved.
   * Value: the role.
   */
  RESERVE_RESOURCES,
  /** Value: the account that the task is to run as; framework and description of the task. */
  RUN_TASK,
  /** By an operator. Value: the principal of the framework; and the framework. */
  TEARDOWN_FRAMEWORK,
  /** Value: the account of the framework; and the framework. */
  VIEW_FRAMEWORK,
  /**
   * Value: the account that it runs as; and the framework. Of an agent the task as well; a master
   * asks once about all tasks of a framework that run as the same.
   */
  VIEW_TASK,
  /**
   * Value: the account that it runs as; and the framework. Of an agent the container as well; a
   * master asks once about all executors of a framework that run as the same.
   */
  VIEW_EXECUTOR,
  /** Value: the account that its executor runs as; framework and container. */
  VIEW_CONTAINER,
  /** Value: the role. */
  VIEW_ROLE,
  /** For each role whose weight is to change. Value: the role. */
  UPDATE_WEIGHT,
  /** For each role that has a quota. Value: the role. */
  GET_QUOTA,
  /** By the calls of old, which set or remove the quota of a role. Value: the role. */
  UPDATE_QUOTA,
  /** For each role whose quota is to change. Value: the role. */
  UPDATE_QUOTA_WITH_CONFIG,
  /** By an operator: about anything. */
  MARK_AGENT_GONE,
  /** By an operator: about anything. */
  DRAIN_AGENT,
  /** By an operator: about anything. */
  DEACTIVATE_AGENT,
  /** By an operator: about anything. */
  REACTIVATE_AGENT,
  /** By an operator, to plan when machines are maintained: about anything. */
  UPDATE_MAINTENANCE_SCHEDULE,
  /** By an operator: about anything. */
  GET_MAINTENANCE_SCHEDULE,
  /** By an operator, to take machines down: about anything. */
  START_MAINTENANCE,
  /** By an operator, to bring machines up: about anything. */
  STOP_MAINTENANCE,
  /** By an operator: about anything. */
  GET_MAINTENANCE_STATUS,
  /** For each principal whose reservation is undone. Value: the principal. */
  UNRESERVE_RESOURCES,
  /** For each role for which a volume is made. Value: the role. */
  CREATE_VOLUME,
  /** For each principal whose volume is destroyed. Value: the principal. */
  DESTROY_VOLUME,
  /** Of a volume that gets another size. Value: its role. */
  RESIZE_VOLUME,
  /** Of the daemon: about anything. */
  VIEW_FLAGS,
  /** Value: the account that runs there; framework and container. */
  ACCESS_SANDBOX,
  /** Not asked yet. */
  ACCESS_MESOS_LOG,
  /** Value: the path, without the daemon's id. */
  GET_ENDPOINT_WITH_PATH,
  /** Of the daemon, to change for a while how much its process logs: about anything. */
  SET_LOG_LEVEL,
  /**
   * Of an agent, in a container of an executor. Value: the account that is to run there; the parent
   * user is that of the executor; framework and container.
   */
  LAUNCH_NESTED_CONTAINER,
  /** Value: the account that the executor runs as in whose container it is; and both. */
  KILL_NESTED_CONTAINER,
  /** Value: the account that the executor runs as in whose container it is; and both. */
  WAIT_NESTED_CONTAINER,
  /** Value: the account that the executor runs as in whose container it is; and both. */
  REMOVE_NESTED_CONTAINER,
  /** As {@link #LAUNCH_NESTED_CONTAINER}, to work in it. */
  LAUNCH_NESTED_CONTAINER_SESSION,
  /** Value: the account that the executor runs as in whose container it is; and both. */
  ATTACH_CONTAINER_INPUT,
  /** Value: the account that the executor runs as in whose container it is; and both. */
  ATTACH_CONTAINER_OUTPUT,
  /** Of an agent, a container that is in none of an executor: about anything. */
  LAUNCH_STANDALONE_CONTAINER,
  /** Of a container that is in none of an executor: about anything. */
  KILL_STANDALONE_CONTAINER,
  /** Of a container that is in none of an executor: about anything. */
  WAIT_STANDALONE_CONTAINER,
  /** Of a container that is in none of an executor: about anything. */
  REMOVE_STANDALONE_CONTAINER,
  /** Of a container that is in none of an executor: about anything. */
  VIEW_STANDALONE_CONTAINER,
  /** Of an agent, to remove images that nothing uses: about anything. */
  PRUNE_IMAGES,
  /**
   * Mezzo's own, to have a module bundle looked at and to see how one is rolled out: about
   * anything.
   */
  VIEW_MODULES,
  /** Mezzo's own, to install, replace, roll back or remove module bundles: about anything. */
  CHANGE_MODULES
}
