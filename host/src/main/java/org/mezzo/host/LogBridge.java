package org.mezzo.host;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.service.log.FormatterLogger;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.LogService;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerConsumer;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** The OSGi log service over the host's log: Declarative Services reports failures with it. */
final class LogBridge implements LogService {

  @Override
  public Logger getLogger(String name) {
    return logger(name, Logger.class);
  }

  @Override
  public Logger getLogger(Class<?> type) {
    return logger(type.getName(), Logger.class);
  }

  @Override
  public <L extends Logger> L getLogger(String name, Class<L> type) {
    return logger(name, type);
  }

  @Override
  public <L extends Logger> L getLogger(Class<?> owner, Class<L> type) {
    return logger(owner.getName(), type);
  }

  @Override
  public <L extends Logger> L getLogger(Bundle bundle, String name, Class<L> type) {
    return logger(name, type);
  }

  @Override
  @Deprecated
  public void log(int level, String message) {
    log(null, level, message, null);
  }

  @Override
  @Deprecated
  public void log(int level, String message, Throwable throwable) {
    log(null, level, message, throwable);
  }

  @Override
  @Deprecated
  public void log(ServiceReference<?> reference, int level, String message) {
    log(reference, level, message, null);
  }

  @Override
  @Deprecated
  public void log(ServiceReference<?> reference, int level, String message, Throwable throwable) {
    Level mapped =
        level <= LOG_ERROR ? Level.ERROR : level == LOG_WARNING ? Level.WARN : Level.DEBUG;
    LoggerFactory.getLogger("org.osgi.service.log")
        .atLevel(mapped)
        .setCause(throwable)
        .log(message);
  }

  /** The two logger interfaces differ in how texts are formatted and in nothing else. */
  private static <L extends Logger> L logger(String name, Class<L> type) {
    org.slf4j.Logger target =
        LoggerFactory.getLogger(name.equals(Logger.ROOT_LOGGER_NAME) ? "osgi" : name);
    boolean printf = FormatterLogger.class.isAssignableFrom(type);
    Object proxy =
        Proxy.newProxyInstance(
            LogBridge.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              String call = method.getName();
              if (call.equals("getName")) {
                return name;
              }
              if (call.equals("equals")) {
                return self == arguments[0];
              }
              if (call.equals("hashCode")) {
                return System.identityHashCode(self);
              }
              if (call.equals("toString")) {
                return "Logger " + name;
              }
              if (call.startsWith("is")) {
                String word = call.substring(2, call.length() - "Enabled".length());
                return target.isEnabledForLevel(level(word));
              }
              if (arguments[0] instanceof LoggerConsumer<?> consumer) {
                if (target.isEnabledForLevel(level(call))) {
                  accept(consumer, (Logger) self);
                }
                return null;
              }
              log(target, level(call), printf, arguments);
              return null;
            });
    return type.cast(proxy);
  }

  private static <E extends Exception> void accept(LoggerConsumer<E> consumer, Logger logger)
      throws E {
    consumer.accept(logger);
  }

  private static Level level(String name) {
    String upper = name.toUpperCase(Locale.ROOT);
    if (upper.equals(LogLevel.AUDIT.name())) {
      return Level.INFO;
    }
    // What a service of the framework finds worth telling is a detail to an operator.
    return upper.equals(LogLevel.INFO.name()) ? Level.DEBUG : Level.valueOf(upper);
  }

  private static void log(
      org.slf4j.Logger target, Level level, boolean printf, Object[] arguments) {
    if (!target.isEnabledForLevel(level)) {
      return;
    }
    List<Object> values = new ArrayList<>();
    for (int i = 1; i < arguments.length; i++) {
      if (arguments[i] instanceof Object[] several) {
        values.addAll(Arrays.asList(several));
      } else {
        values.add(arguments[i]);
      }
    }
    values.removeIf(value -> value instanceof ServiceReference);
    Throwable cause = null;
    if (!values.isEmpty() && values.get(values.size() - 1) instanceof Throwable last) {
      cause = last;
      values.remove(values.size() - 1);
    }
    String message = String.valueOf(arguments[0]);
    if (printf && !values.isEmpty()) {
      message = String.format(message, values.toArray());
      values.clear();
    }
    Throwable root = cause;
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    if (root instanceof IOException) {
      // A port in use, a file that cannot be read: the place in the code tells nobody anything.
      target.atLevel(level).log("{}: {}", message, Reasons.of(cause));
      return;
    }
    target.atLevel(level).setCause(cause).log(message, values.toArray());
  }
}
