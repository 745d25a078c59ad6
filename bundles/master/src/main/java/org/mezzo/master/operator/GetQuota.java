package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.QuotaReports;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_QUOTA: the quotas that were set (rule 264). */
final class GetQuota extends ReadingCall {

  GetQuota(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_QUOTA,
            Permission.perObject(Action.GET_QUOTA),
            "The guarantees and limits of roles that were set."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_QUOTA)
        .setGetQuota(Response.GetQuota.newBuilder().setStatus(QuotaReports.of(state, visibility)))
        .build();
  }
}
