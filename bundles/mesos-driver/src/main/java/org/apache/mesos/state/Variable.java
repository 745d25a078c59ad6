package org.apache.mesos.state;

import java.util.Optional;
import org.mezzo.driver.entries.Entry;

/** What was kept under a name when it was fetched or stored, or is to be stored. Immutable. */
public class Variable {
  private final Optional<Entry> kept;
  private final byte[] value;

  /** Of a state of somebody else, which overrides the methods. */
  protected Variable() {
    this(Optional.empty(), new byte[0]);
  }

  Variable(Entry kept) {
    this(Optional.of(kept), kept.value());
  }

  private Variable(Optional<Entry> kept, byte[] value) {
    this.kept = kept;
    this.value = value;
  }

  /** Empty when nothing is kept under the name. */
  public byte[] value() {
    return value.clone();
  }

  /** One that is stored only if nobody else has changed what this one was fetched as. */
  public Variable mutate(byte[] changed) {
    return new Variable(kept, changed.clone());
  }

  Entry kept() {
    return kept.orElseThrow(
        () -> new IllegalArgumentException("the variable was fetched from another kind of state"));
  }

  /** What takes the place of what is kept. */
  Entry next() {
    return Entry.of(kept().name(), value);
  }
}
