package org.mezzo.qos.load;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The parameters of the controller; one is needed. */
@ObjectClassDefinition(
    name = "qos-controller load",
    description = "the load from which on nothing runs on lent resources; one of them is needed")
@interface LoadParameters {
  @AttributeDefinition(
      name = "load_threshold_5min",
      description = "the most that the average load of 5 minutes may be",
      min = "0",
      required = false)
  double load__threshold__5min();

  @AttributeDefinition(
      name = "load_threshold_15min",
      description = "the most that the average load of 15 minutes may be",
      min = "0",
      required = false)
  double load__threshold__15min();
}
