package org.mezzo.agent;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGUSR1, by which an operator has the agents of the process leave their cluster (rule 185). There
 * is one of a process, because a signal is. Safe for any thread.
 */
@Component(service = LeaveSignal.class)
public final class LeaveSignal {
  private static final Logger LOG = LoggerFactory.getLogger(LeaveSignal.class);
  private static final String NAME = "USR1";

  private final Set<Runnable> listeners = ConcurrentHashMap.newKeySet();

  /** Takes the signal from now on. */
  @Activate
  public LeaveSignal() {
    try {
      take();
    } catch (ReflectiveOperationException | RuntimeException e) {
      LOG.warn(
          "SIG{} cannot be heard on this JVM: it ends the process, without a word to masters ({})",
          NAME,
          e.toString());
    }
  }

  /** What the JVM has for signals is in a package that no bundle has to be able to import. */
  private void take() throws ReflectiveOperationException {
    ClassLoader system = ClassLoader.getSystemClassLoader();
    Class<?> signal = system.loadClass("sun.misc.Signal");
    Class<?> handler = system.loadClass("sun.misc.SignalHandler");
    Object heard =
        Proxy.newProxyInstance(
            system,
            new Class<?>[] {handler},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "handle" -> {
                    heard();
                    yield null;
                  }
                  case "equals" -> proxy == arguments[0];
                  case "hashCode" -> System.identityHashCode(proxy);
                  default -> NAME;
                });
    Method handle = signal.getMethod("handle", signal, handler);
    try {
      handle.invoke(null, signal.getConstructor(String.class).newInstance(NAME), heard);
    } catch (InvocationTargetException e) {
      throw new ReflectiveOperationException(e.getCause());
    }
  }

  /** The signal came; by the JVM on a thread of its own. */
  void heard() {
    listeners.forEach(Runnable::run);
  }

  /** Runs this with each signal, on a thread that must not be held up. */
  void add(Runnable listener) {
    listeners.add(listener);
  }

  /** Runs it no more. */
  void remove(Runnable listener) {
    listeners.remove(listener);
  }
}
