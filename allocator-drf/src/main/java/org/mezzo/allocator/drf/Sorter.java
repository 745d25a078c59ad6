package org.mezzo.allocator.drf;

import java.util.Collection;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Says in which order clients are served. Clients are role paths or framework ids; what a client
 * stands for is handed to whoever walks.
 *
 * @param <T> what a client stands for
 */
interface Sorter<T> {

  /** A client as its sorter knows it. */
  interface Client {}

  /** Adds a client that has nothing and is not active. */
  Client add(String path, T subject);

  /** Removes a client, which must have given back everything. */
  void remove(Client client);

  /** Only active clients are walked. */
  void setActive(Client client, boolean active);

  /**
   * The client has more.
   *
   * @param served whether it was served, which is counted and never forgotten
   */
  void allocated(Client client, Scalars.Delta delta, boolean served);

  /** The client has less. */
  void released(Client client, Scalars.Delta delta);

  /** The weights that differ from 1, by path. */
  void setWeights(Map<String, Double> weights);

  /**
   * Visits the active clients in their order until the visitor answers false. What is allocated
   * meanwhile counts from the next walk on.
   */
  void walk(Predicate<T> visitor);

  /**
   * Some of the clients, to be walked alone in the order that they have among all. Good until a
   * client is added or removed, or becomes active or not.
   *
   * @param <T> what a client stands for
   */
  interface Subset<T> {
    /** As {@link Sorter#walk}, of these only. */
    void walk(Predicate<T> visitor);

    /** Leaves some out from now on. */
    void removeIf(Predicate<T> gone);

    int size();
  }

  /** Those of these that are active. */
  Subset<T> subset(Collection<? extends Client> clients);
}
