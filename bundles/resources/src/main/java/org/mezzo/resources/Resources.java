package org.mezzo.resources;

import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** An immutable collection of resources in which equal kinds are merged. */
public final class Resources implements Iterable<Resource> {
  public static final Resources EMPTY = new Resources();

  private Resources() {}

  /** The three forms of a resource message (rule 290). */
  public enum Format {
    PRE_REFINEMENT,
    POST_REFINEMENT,
    ENDPOINT
  }

  /** From messages in any reservation format; throws on an invalid resource. */
  public static Resources of(Collection<org.mezzo.protocol.v1.Resource> messages)
      throws ResourceFormatException {
    throw new UnsupportedOperationException();
  }

  /** Parses the text form, or the JSON form if the text starts with '[' (rules 285, 286). */
  public static Resources parse(String text, String defaultRole) throws ResourceFormatException {
    throw new UnsupportedOperationException();
  }

  public static Resources of(Resource... resources) {
    throw new UnsupportedOperationException();
  }

  public List<org.mezzo.protocol.v1.Resource> toMessages(Format format) {
    throw new UnsupportedOperationException();
  }

  public Resources plus(Resources other) {
    throw new UnsupportedOperationException();
  }

  /** Clips at nothing (rule 282). */
  public Resources minus(Resources other) {
    throw new UnsupportedOperationException();
  }

  public boolean contains(Resources other) {
    throw new UnsupportedOperationException();
  }

  /** Resources of ours that satisfy the target's amounts (rule 284). */
  public Optional<Resources> find(Resources target) {
    throw new UnsupportedOperationException();
  }

  public boolean isEmpty() {
    throw new UnsupportedOperationException();
  }

  public int size() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Iterator<Resource> iterator() {
    throw new UnsupportedOperationException();
  }

  /** The same resources with this allocation role. */
  public Resources allocatedTo(String role) {
    throw new UnsupportedOperationException();
  }

  /** The same resources without allocation role. */
  public Resources unallocated() {
    throw new UnsupportedOperationException();
  }

  public Resources filter(Predicate<Resource> keep) {
    throw new UnsupportedOperationException();
  }

  public Resources unreserved() {
    throw new UnsupportedOperationException();
  }

  /** Those whose last reservation is for exactly this role. */
  public Resources reservedTo(String role) {
    throw new UnsupportedOperationException();
  }

  /** By role of the last reservation. */
  public Map<String, Resources> reserved() {
    throw new UnsupportedOperationException();
  }

  /** Those that may be allocated to the role (rule 293). */
  public Resources allocatableTo(String role) {
    throw new UnsupportedOperationException();
  }

  /** By allocation role; resources without one are left out. */
  public Map<String, Resources> allocations() {
    throw new UnsupportedOperationException();
  }

  public Resources revocable() {
    throw new UnsupportedOperationException();
  }

  public Resources nonRevocable() {
    throw new UnsupportedOperationException();
  }

  public Resources shared() {
    throw new UnsupportedOperationException();
  }

  public Resources nonShared() {
    throw new UnsupportedOperationException();
  }

  public Resources scalars() {
    throw new UnsupportedOperationException();
  }

  public Quantities quantities() {
    throw new UnsupportedOperationException();
  }

  public Set<String> names() {
    throw new UnsupportedOperationException();
  }

  /** Sum of the scalars of that name in thousandths. */
  public long scalar(String name) {
    throw new UnsupportedOperationException();
  }
}
