package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.transitions.QuotasChange;
import org.mezzo.protocol.v1.master.Call;

/** UPDATE_QUOTA: new quotas of some roles (rule 257). */
final class UpdateQuota extends ChangingCall {
  UpdateQuota(PolicyChanges policies, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.UPDATE_QUOTA,
                Permission.perObject(Action.UPDATE_QUOTA_WITH_CONFIG),
                "Sets guarantees and limits of some roles, all of them or none, and keeps them in"
                    + " the registry.")
            .carrying("update_quota"),
        (principal, call) ->
            policies.make(
                principal,
                new QuotasChange(
                    call.getUpdateQuota().getQuotaConfigsList(),
                    call.getUpdateQuota().getForce())));
  }
}
