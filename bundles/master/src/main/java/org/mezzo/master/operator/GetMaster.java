package org.mezzo.master.operator;

import java.time.Instant;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.EpochSeconds;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_MASTER: who leads, and since when. */
final class GetMaster extends ReadingCall {
  private final Instant started;

  /**
   * The call.
   *
   * @param started when the daemon was started
   */
  GetMaster(StateAnswers answers, Instant started) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_MASTER,
            Permission.none("who leads is told to everybody by /redirect, too"),
            "The leading master."));
    this.started = started;
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_MASTER)
        .setGetMaster(
            Response.GetMaster.newBuilder()
                .setMasterInfo(state.self())
                .setStartTime(EpochSeconds.of(started))
                .setElectedTime(EpochSeconds.of(state.elected())))
        .build();
  }
}
