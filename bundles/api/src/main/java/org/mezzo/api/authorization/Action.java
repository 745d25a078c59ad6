package org.mezzo.api.authorization;

/** The actions that are asked for today; they carry the names of acls.tsv in upper case. */
public enum Action {
  REGISTER_FRAMEWORK,
  REGISTER_AGENT,
  RUN_TASK,
  TEARDOWN_FRAMEWORK,
  VIEW_FRAMEWORK,
  VIEW_TASK,
  VIEW_EXECUTOR,
  VIEW_CONTAINER,
  VIEW_ROLE,
  VIEW_FLAGS,
  ACCESS_SANDBOX,
  ACCESS_MESOS_LOG,
  GET_ENDPOINT_WITH_PATH
}
