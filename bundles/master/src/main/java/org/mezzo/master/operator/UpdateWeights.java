package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.transitions.WeightsChange;
import org.mezzo.protocol.v1.master.Call;

/** UPDATE_WEIGHTS: new weights of some roles (rule 265). */
final class UpdateWeights extends ChangingCall {
  UpdateWeights(PolicyChanges policies, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.UPDATE_WEIGHTS,
                Permission.perObject(Action.UPDATE_WEIGHT),
                "Sets the weights of some roles, all of them or none, and keeps them in the"
                    + " registry.")
            .carrying("update_weights"),
        (principal, call) ->
            policies.make(
                principal, new WeightsChange(call.getUpdateWeights().getWeightInfosList())));
  }
}
