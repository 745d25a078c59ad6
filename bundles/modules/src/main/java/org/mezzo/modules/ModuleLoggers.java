package org.mezzo.modules;

/** What the loggers of modules are called. */
public final class ModuleLoggers {
  private ModuleLoggers() {}

  /** The logger that is a module's own: {@code modules.<kind>.<name>}, with dots for slashes. */
  public static String own(String kind, String name) {
    return "modules." + kind + "." + name.replace('/', '.');
  }
}
