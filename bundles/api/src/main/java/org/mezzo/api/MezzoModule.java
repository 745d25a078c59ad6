package org.mezzo.api;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.service.component.annotations.ComponentPropertyType;

/**
 * Announces a Declarative Services component as a module. The component must provide the interface
 * of its kind and have {@code scope = ServiceScope.PROTOTYPE}: every daemon of the process gets an
 * instance of its own.
 *
 * <p>A daemon selects a module by {@link #kind} and {@link #name} (for example {@code
 * --allocator=hierarchical}). Of several registered modules with the same kind and name the one of
 * the bundle installed last is used, which is what makes a rolling swap work.
 */
@ComponentPropertyType
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface MezzoModule {
  /** All properties are written with this prefix, for example {@code mezzo.module.kind}. */
  String PREFIX_ = "mezzo.module.";

  /** One of the {@code KIND} constants of the SPI interfaces, for example {@code allocator}. */
  String kind();

  /** The name that flags use, for example {@code hierarchical} or {@code cgroups/cpu}. */
  String name();

  /** The module's own version, any text; shown to operators. */
  String version() default "";

  /** Who wrote it; shown to operators. */
  String author() default "";

  /** One line on what it does; shown to operators. */
  String description() default "";

  /**
   * Names of the daemon's flags that the module reads, without dashes; {@link
   * DaemonContext#flags()} has these and no others. Shown to operators.
   */
  String[] flags() default {};
}
