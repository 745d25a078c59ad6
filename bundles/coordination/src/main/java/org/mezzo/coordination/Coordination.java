package org.mezzo.coordination;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.annotation.versioning.ProviderType;

/** Opens coordination for one daemon; published as an OSGi service. */
@ProviderType
public interface Coordination {

  /**
   * Connects to {@code zk://[user:password@]host:port[,host:port]/path}; returns at once and keeps
   * trying. Events are delivered on {@code events}.
   */
  Election zooKeeper(String url, Duration sessionTimeout, Executor events);

  /** A session of a master without peers, with a store below its work directory. */
  Session standalone(Path workDir, Executor events) throws IOException;

  /** Starts a ZooKeeper server on a loopback port (0: a free one) that persists below a folder. */
  EmbeddedZooKeeper embedded(Path dataDir, int port) throws IOException;

  /** A running embedded server. */
  interface EmbeddedZooKeeper extends AutoCloseable {
    /** Its {@code host:port}. */
    String connectString();

    @Override
    void close();
  }

  /** One daemon's connection. */
  interface Session extends AutoCloseable {
    /**
     * Opens the registry for a term of this daemon, which ends the terms before it, whoever has
     * them: their writes fail from now on. Completes on the events executor; what fails may be
     * tried again.
     *
     * @param claim what the election gave to its winner, as {@link CandidacyListener#elected} has
     *     it; empty for a term that depends on nothing
     * @return empty when the claim is over, and nothing has changed
     */
    CompletionStage<Optional<Registry>> begin(Optional<String> claim);

    /** Where masters see what the others do; empty where there is nothing of the kind. */
    default Optional<Board> board() {
      return Optional.empty();
    }

    @Override
    void close();
  }

  /** A connection to where elections are held. */
  interface Election extends Session {
    /** Enters the election; the listener is told of a gain and of the loss, which ends it. */
    Candidacy contend(MasterInfo self, CandidacyListener listener);

    /** Follows the leader; the listener is told the present one soon and each change. */
    AutoCloseable detect(LeaderListener listener);
  }

  /**
   * What every master may look at, whether it leads or not: the registry, which only the leader
   * writes, and a notice of each master about itself, which goes with its session. Completes on the
   * events executor; what fails may be tried again.
   */
  interface Board {
    /** Bytes of the largest notice. */
    int MAX_NOTICE_BYTES = Registry.MAX_VALUE_BYTES;

    /** What the registry holds under a key; empty when there is nothing. May be a moment old. */
    CompletionStage<Optional<byte[]>> read(String key);

    /**
     * Sees to it that the notice of a name is there and says this.
     *
     * @param name of letters, digits and {@code @.:-}
     * @param notice at most {@link #MAX_NOTICE_BYTES}
     */
    CompletionStage<Void> post(String name, byte[] notice);

    /** All notices by their names. */
    CompletionStage<Map<String, byte[]>> notices();
  }

  /** A place in the election. */
  interface Candidacy extends AutoCloseable {
    /** Gives leadership or candidacy up; returns when the node is gone or after 2 s. */
    @Override
    void close();
  }

  /** Told of leadership, on the events executor. */
  interface CandidacyListener {
    /**
     * This daemon leads.
     *
     * @param claim there as long as it does: with it {@link Session#begin} opens the registry for
     *     whoever leads still, and for nobody else
     */
    void elected(String claim);

    /**
     * Leadership or candidacy was lost, by session expiry or by {@link Candidacy#close}. The
     * candidacy is over: who wants to lead again contends again.
     */
    void lost(String reason);
  }

  /** Told who leads, on the events executor. */
  @FunctionalInterface
  interface LeaderListener {
    /** The leader changed; empty when none is known. */
    void leader(Optional<MasterInfo> leader);
  }
}
