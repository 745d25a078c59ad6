package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Tasks;
import org.mezzo.protocol.v1.scheduler.Call;

/** KILL: kills a task. */
final class Kill extends FrameworkCall {

  Kill(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(Call.Type.KILL, own(), "Kills a task.").carrying("kill"));
  }

  @Override
  Step step(Call call) {
    return tx -> {
      tx.count("master/messages_kill_task");
      Tasks.kill(tx, call.getFrameworkId().getValue(), call.getKill());
    };
  }
}
