package org.mezzo.master.election;

import java.util.concurrent.CompletionStage;
import org.mezzo.master.transitions.Consultation;
import org.mezzo.protocol.v1.AgentInfo;

/** Asks modules on behalf of transitions. */
public interface Consultant {

  /** Asks hooks and authorizer; completes on the event loop, never exceptionally. */
  CompletionStage<Consultation.Answer> ask(Consultation question);

  /** Tells hooks that an agent is lost. */
  void agentLost(AgentInfo agent);

  /** Has nobody to ask. */
  Consultant NOBODY =
      new Consultant() {
        @Override
        public CompletionStage<Consultation.Answer> ask(Consultation question) {
          return java.util.concurrent.CompletableFuture.completedFuture(Consultation.Answer.NONE);
        }

        @Override
        public void agentLost(AgentInfo agent) {}
      };
}
