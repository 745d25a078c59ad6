package org.mezzo.logger;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The parameters of the logger. */
@ObjectClassDefinition(
    name = "container-logger rotating",
    description = "how large files of output may grow, and how many older ones are kept")
@interface RotatingParameters {
  @AttributeDefinition(
      name = "max_stdout_size",
      description = "how large stdout may grow, with B, KB, MB, GB or TB")
  String max__stdout__size() default "10MB";

  @AttributeDefinition(
      name = "max_stderr_size",
      description = "how large stderr may grow, with B, KB, MB, GB or TB")
  String max__stderr__size() default "10MB";

  @AttributeDefinition(
      name = "max_stdout_files",
      description = "how many older files of stdout are kept",
      min = "0")
  int max__stdout__files() default 4;

  @AttributeDefinition(
      name = "max_stderr_files",
      description = "how many older files of stderr are kept",
      min = "0")
  int max__stderr__files() default 4;

  @AttributeDefinition(
      name = "environment_variable_prefix",
      description = "what variables begin with by which a container has other values")
  String environment__variable__prefix() default "CONTAINER_LOGGER_";
}
