package org.apache.mesos.state;

import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Future;
import org.mezzo.driver.entries.Entry;

/**
 * A state that ends with its process. As in Mesos a variable is there from when it is first
 * fetched. Thread-safe; all futures are done.
 */
public class InMemoryState implements State {
  private final ConcurrentMap<String, Entry> entries = new ConcurrentHashMap<>();

  @Override
  public Future<Variable> fetch(String name) {
    return done(new Variable(entries.computeIfAbsent(name, it -> Entry.of(it, new byte[0]))));
  }

  /** Null comes of it when somebody else has changed or removed what was fetched: fetch again. */
  @Override
  public Future<Variable> store(Variable variable) {
    Entry next = variable.next();
    return done(entries.replace(next.name(), variable.kept(), next) ? new Variable(next) : null);
  }

  @Override
  public Future<Boolean> expunge(Variable variable) {
    return done(entries.remove(variable.kept().name(), variable.kept()));
  }

  @Override
  public Future<Iterator<String>> names() {
    return done(entries.keySet().iterator());
  }

  private static <T> Future<T> done(T result) {
    return CompletableFuture.completedFuture(result);
  }
}
