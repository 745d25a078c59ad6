package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.transitions.QuotaRemoval;
import org.mezzo.protocol.v1.master.Call;

/** REMOVE_QUOTA: a role without its quota (rule 263). */
final class RemoveQuota extends ChangingCall {
  RemoveQuota(PolicyChanges policies, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.REMOVE_QUOTA,
                Permission.perObject(Action.UPDATE_QUOTA),
                "Removes the quota of a role.")
            .carrying("remove_quota"),
        (principal, call) ->
            policies.make(principal, new QuotaRemoval(call.getRemoveQuota().getRole(), "")));
  }
}
