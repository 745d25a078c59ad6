package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.transitions.QuotaSetting;
import org.mezzo.protocol.v1.master.Call;

/** SET_QUOTA: the first quota of a role, in the form of old (rule 261). */
final class SetQuota extends ChangingCall {
  SetQuota(PolicyChanges policies, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.SET_QUOTA,
                Permission.perObject(Action.UPDATE_QUOTA),
                "Sets the quota of a role that has none; its guarantee is its limit, too.")
            .carrying("set_quota"),
        (principal, call) ->
            policies.make(principal, new QuotaSetting(call.getSetQuota().getQuotaRequest())));
  }
}
