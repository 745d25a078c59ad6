package org.mezzo.deployment.bundles;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** How patient deployment is. */
@ObjectClassDefinition(
    name = "Mezzo deployment",
    description =
        "Installing and swapping module bundles. The folder is that of the framework"
            + " property mezzo.modules.dir.")
public @interface Settings {

  @AttributeDefinition(
      name = "Poll (ms)",
      description = "How often the hot folder is looked at when the file system tells nothing.")
  long pollMillis() default 400;

  @AttributeDefinition(
      name = "Settle (ms)",
      description = "A jar counts as complete when it has not changed for so long.")
  long settleMillis() default 300;

  @AttributeDefinition(
      name = "Start timeout (ms)",
      description =
          "How long the modules of a new version may take to be registered and healthy,"
              + " and to show that calls of the probation return and do not throw; also how long a"
              + " bundle may take to be started or stopped.")
  long startTimeoutMillis() default 10_000;

  @AttributeDefinition(
      name = "Probation (ms)",
      description = "How long a new version must stay healthy before the old one is removed.")
  long probationMillis() default 500;

  @AttributeDefinition(
      name = "Trial (ms)",
      description =
          "How long daemons must have used a new version without trouble before it is what is gone"
              + " back to; when it fails before, what was good before takes over again.")
  long trialMillis() default 600_000;

  @AttributeDefinition(
      name = "Drain timeout (ms)",
      description = "How long calls into a bundle may still run before it is stopped.")
  long drainTimeoutMillis() default 10_000;
}
