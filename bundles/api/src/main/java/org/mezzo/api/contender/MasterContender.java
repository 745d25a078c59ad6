package org.mezzo.api.contender;

import org.mezzo.api.Module;
import org.mezzo.api.Sink;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Stands for election on behalf of a master and says when it is won and lost. It outlives terms: a
 * master has the one of {@code --master_contender}, or else the one that fits {@code --zk}, from
 * its start to its end.
 *
 * <p>What it says is believed, as far as it goes: a master that is told that it leads opens the
 * registry of the cluster for a term of its own, and from then on no other master can write there.
 * Two masters that are told so at a time take the registry from each other, which costs terms and
 * never what is stored. A contender that knows a node of the ZooKeeper of {@code --zk} that is
 * there as long as it leads names it ({@link Standing#leads(String)}), so that who hears late of an
 * election that is over takes nothing from who has won the next.
 *
 * <p>Without an instance that speaks for it a master does not stand for election. One that leads
 * and loses its contender goes on for {@link #PATIENCE_SECONDS}; when no successor has said by then
 * that it leads, its term is over. So it is when an instance gets the lease and says nothing for so
 * long.
 *
 * <p>Swap: the successor is opened, and told to {@link #enter} when the instance before it was,
 * while that one still holds; then that one is closed and leaves the election. What the successor
 * says first decides: a term goes on when it says that it leads, which it can when nobody else
 * stood for election in between. With other masters in the election one of them is likely to win:
 * <b>swapping the contender of the leading master may cost an election</b>. The successor is told
 * nothing of what the instance before it had reached.
 */
@ConsumerType
public interface MasterContender extends Module {

  /** The value of {@code mezzo.module.kind} of master contenders. */
  String KIND = "master-contender";

  /** So long a term goes on while nobody says that this master leads. */
  int PATIENCE_SECONDS = 10;

  /**
   * Told once, after {@link #open}, where to report how the master stands, as a level: from {@link
   * #enter} on each change, and that another master leads as soon as it is known. That this master
   * leads by the instance before is no reason to say that it follows. Reports may come from any
   * thread until {@link #close}, and need not wait for anything.
   */
  void report(Sink<Standing> standings) throws Exception;

  /**
   * Has the master stand for election, from now on until {@link #leave}: when it has lost, for
   * whatever reason, it stands again without being told. Has 10 seconds to return, and need not
   * wait for the election. Called again without {@link #leave} it changes nothing. What is thrown
   * here is tried again.
   *
   * @param self how the master is to be known to those who ask who leads
   */
  void enter(MasterInfo self) throws Exception;

  /**
   * Gives up leadership or candidacy; another one may lead when this has returned, for which it has
   * 10 seconds. From here to the next {@link #enter} nothing is reported. Called when a term could
   * not be begun or has failed, and when the master stops.
   */
  void leave() throws Exception;
}
