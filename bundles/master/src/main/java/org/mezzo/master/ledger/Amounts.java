package org.mezzo.master.ledger;

import java.util.Collection;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/**
 * How much there is, and how much of it is held, in numbers: of one agent, or of all in a ledger.
 * Kept with each change, so that whoever measures the cluster does not walk it. What several
 * frameworks hold of one shared resource counts for each of them. Immutable.
 *
 * @param total what agents give, but for revocable resources
 * @param revocableTotal what of it is revocable
 * @param allocated what tasks and executors hold, but for revocable resources
 * @param revocableAllocated what of it is revocable
 * @param offered what outstanding offers hold, revocable or not
 */
public record Amounts(
    Quantities total,
    Quantities revocableTotal,
    Quantities allocated,
    Quantities revocableAllocated,
    Quantities offered) {
  /** There is nothing. */
  public static final Amounts NONE =
      new Amounts(
          Quantities.EMPTY, Quantities.EMPTY, Quantities.EMPTY, Quantities.EMPTY, Quantities.EMPTY);

  /** Adds up what is listed: each of the lists has one entry for each holder. */
  public static Amounts of(
      Collection<Resources> total, Collection<Resources> allocated, Collection<Resources> offered) {
    Amounts sum = NONE;
    for (Resources each : total) {
      sum = sum.withTotal(Resources.EMPTY, each);
    }
    for (Resources each : allocated) {
      sum = sum.withAllocated(Resources.EMPTY, each);
    }
    for (Resources each : offered) {
      sum = sum.withOffered(Resources.EMPTY, each);
    }
    return sum;
  }

  /** With another total in the place of one that is counted. */
  Amounts withTotal(Resources before, Resources after) {
    return new Amounts(
        moved(total, before.nonRevocable().quantities(), after.nonRevocable().quantities()),
        moved(revocableTotal, before.revocable().quantities(), after.revocable().quantities()),
        allocated,
        revocableAllocated,
        offered);
  }

  /** With something else allocated to one framework than is counted. */
  Amounts withAllocated(Resources before, Resources after) {
    return new Amounts(
        total,
        revocableTotal,
        moved(allocated, before.nonRevocable().quantities(), after.nonRevocable().quantities()),
        moved(revocableAllocated, before.revocable().quantities(), after.revocable().quantities()),
        offered);
  }

  /** With something else offered to one framework than is counted. */
  Amounts withOffered(Resources before, Resources after) {
    return new Amounts(
        total,
        revocableTotal,
        allocated,
        revocableAllocated,
        moved(offered, before.quantities(), after.quantities()));
  }

  /** With the amounts of one agent in the place of others that are counted. */
  Amounts with(Amounts before, Amounts after) {
    return new Amounts(
        moved(total, before.total, after.total),
        moved(revocableTotal, before.revocableTotal, after.revocableTotal),
        moved(allocated, before.allocated, after.allocated),
        moved(revocableAllocated, before.revocableAllocated, after.revocableAllocated),
        moved(offered, before.offered, after.offered));
  }

  /** What changes most often leaves most of the sums as they are. */
  private static Quantities moved(Quantities sum, Quantities before, Quantities after) {
    return before == after ? sum : sum.plus(after).minus(before);
  }
}
