package org.mezzo.testing.contract;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** The method of a kit that is to find what is wrong with a module. */
@Retention(RetentionPolicy.RUNTIME)
@interface FailsIn {
  String[] value();
}
