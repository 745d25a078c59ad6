package org.mezzo.master;

import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.link.messages.MasterStanding;
import org.mezzo.master.agents.AgentAuthorization;
import org.mezzo.master.agents.Links;
import org.mezzo.master.agents.RemovalRate;
import org.mezzo.master.allocation.Allocation;
import org.mezzo.master.election.FrameworkMetrics;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.election.MasterTerm;
import org.mezzo.master.election.ModuleConsultant;
import org.mezzo.master.election.RecoveredAgents;
import org.mezzo.master.election.StateMachine;
import org.mezzo.master.election.TermRegistry;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.master.transitions.Settings;
import org.mezzo.protocol.v1.MasterInfo;

/** Puts the parts of each term together, from what outlives it. Belongs to the event loop. */
final class Terms implements Leadership.Terms {
  private final DaemonFrame frame;
  private final MasterFlags flags;
  private final MasterInfo self;
  private final ModuleConsultant consultant;
  private final Supplier<CompletionStage<Map<String, MasterStanding>>> standings;

  /** What was used of it in one term counts in the next. */
  private final RemovalRate removalRate;

  /**
   * Puts none together yet.
   *
   * @param standings what masters say of the modules of their hosts
   */
  Terms(
      DaemonFrame frame,
      MasterFlags flags,
      MasterInfo self,
      ModuleConsultant consultant,
      Supplier<CompletionStage<Map<String, MasterStanding>>> standings) {
    this.frame = frame;
    this.flags = flags;
    this.self = self;
    this.consultant = consultant;
    this.standings = standings;
    removalRate = flags.agents().removalRate();
  }

  @Override
  public MasterTerm create(
      MasterState.Counters counters, Registry stored, MasterTerm.FailureListener failures) {
    EventLoop loop = frame.loop();
    Settings settings = flags.settings(consultant.demanded());
    StateMachine machine =
        new StateMachine(loop, frame.clock(), frame.metrics(), settings, begin(counters));
    Links links =
        new Links(
            loop,
            settings.agents(),
            self,
            removalRate,
            new AgentAuthorization(frame.authorization()),
            machine::state,
            machine::run);
    Allocation allocation =
        new Allocation(
            loop,
            frame.clock(),
            flags.allocation().options(),
            machine::state,
            machine::run,
            frame.metrics());
    TermRegistry registry =
        new TermRegistry(
            loop, stored, frame.workers(), flags.election().registry(), frame.metrics(), failures);
    RecoveredAgents recovered =
        new RecoveredAgents(loop, machine, links, flags.agents().recoveryLimit(), failures);
    Rollouts rollouts =
        new Rollouts(
            loop,
            frame.clock(),
            machine::state,
            machine::run,
            links::send,
            registry::write,
            standings,
            frame.metrics());
    MasterTerm term =
        new MasterTerm(loop, machine, registry, recovered, links, rollouts, allocation, consultant);
    if (flags.frameworks().measured()) {
      term.measure(new FrameworkMetrics(loop, frame.metrics(), machine::state));
    }
    return term;
  }

  /** The root before anything is known, with what a registry without weights begins with. */
  private MasterState begin(MasterState.Counters counters) {
    Policy policy = Policy.NONE.withWeights(flags.allocation().weights());
    return MasterState.begin(self, frame.clock().instant(), flags.history(), counters)
        .withPolicy(policy, policy);
  }
}
