package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Tasks;
import org.mezzo.protocol.v1.scheduler.Call;

/** MESSAGE: sends data to an executor of the framework. */
final class MessageToExecutor extends FrameworkCall {

  MessageToExecutor(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.MESSAGE, own(), "Sends data to an executor of the framework.")
            .carrying("message"));
  }

  @Override
  Step step(Call call) {
    return tx -> {
      tx.count("master/messages_framework_to_executor");
      Tasks.message(tx, call.getFrameworkId().getValue(), call.getMessage());
    };
  }
}
