package org.mezzo.hooks.environment;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The parameters of the hook. */
@ObjectClassDefinition(
    name = "hook environment",
    description = "variables for tasks and executors of this agent")
@interface EnvironmentParameters {
  @AttributeDefinition(
      name = "variable.NAME",
      description = "the value of a variable that is called NAME")
  String variable_NAME();

  @AttributeDefinition(
      name = "override",
      description = "whether it stands above what the framework says")
  boolean override() default false;
}
