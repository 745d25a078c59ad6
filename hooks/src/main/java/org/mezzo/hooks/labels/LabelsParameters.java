package org.mezzo.hooks.labels;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The parameters of the hook. */
@ObjectClassDefinition(name = "hook labels", description = "labels for every task")
@interface LabelsParameters {
  @AttributeDefinition(
      name = "label.KEY",
      description = "the value of a label that is called KEY",
      required = false)
  String label_KEY() default "";
}
