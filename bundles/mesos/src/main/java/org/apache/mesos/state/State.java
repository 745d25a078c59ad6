package org.apache.mesos.state;

import java.util.Iterator;
import java.util.concurrent.Future;

/**
 * Values that are kept by name for the next start of a framework. Who stores what somebody else has
 * changed since it was fetched is told, and changes nothing.
 */
public interface State {
  /** The value of a name; an empty one when there is none. */
  Future<Variable> fetch(String name);

  /**
   * Keeps a value that was made by {@link Variable#mutate} of one that was fetched.
   *
   * @return what is kept now; null when it has been changed meanwhile
   */
  Future<Variable> store(Variable variable);

  /**
   * Removes a value.
   *
   * @return false when it has been changed meanwhile, or is not there
   */
  Future<Boolean> expunge(Variable variable);

  /** The names of all values. */
  Future<Iterator<String>> names();
}
