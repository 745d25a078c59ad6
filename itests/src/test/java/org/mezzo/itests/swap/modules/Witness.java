package org.mezzo.itests.swap.modules;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.mezzo.api.DaemonContext;

/**
 * Tells the test what is done to a module, and has it decide how long calls take. Each bundle has
 * its own copy of this class, so the two know each other by classes of the JDK alone.
 */
public final class Witness {
  /** The system property whose value, an object, is told everything. */
  public static final String PROPERTY = "mezzo.itests.swap.witness";

  /** The entry of the bundle that holds its number. */
  public static final String VERSION = "version";

  private final String kind;
  private final Integer version;
  private volatile String daemon = "";

  Witness(String kind) {
    this.kind = kind;
    try (InputStream in = Witness.class.getResourceAsStream("/" + VERSION)) {
      version = Integer.valueOf(new String(in.readAllBytes(), StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Which version of the module answers. */
  String signature() {
    return "v" + version;
  }

  void opening(DaemonContext context) {
    daemon = context.daemon();
    // Nobody waits for an instance that only rehearses.
    if (!context.rehearsal()) {
      tell("opening");
    }
  }

  /** Something that must not be. */
  void fault(String what) {
    tell("fault", what);
  }

  /** How much an instance knows; the last that is told counts. */
  void knows(int things) {
    tell("knows", things);
  }

  /** The instance has come to life or is about to end. */
  void lives(boolean now) {
    tell("lives", now);
  }

  /** A call; how long it lasts is the test's decision. */
  <R> R call(String operation, Callable<R> body) throws Exception {
    Object begun = tell("begin", operation);
    try {
      R result = body.call();
      tell("returning", begun);
      return result;
    } finally {
      tell("end", begun);
    }
  }

  private Object tell(String what, Object... more) {
    Object witness = System.getProperties().get(PROPERTY);
    if (!(witness instanceof Function)) {
      return "";
    }
    Object[] words = new Object[4 + more.length];
    words[0] = what;
    words[1] = kind;
    words[2] = daemon;
    words[3] = version;
    System.arraycopy(more, 0, words, 4, more.length);
    @SuppressWarnings("unchecked")
    Function<Object[], Object> told = (Function<Object[], Object>) witness;
    return told.apply(words);
  }
}
