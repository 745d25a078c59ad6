package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** REQUEST: tells what the framework would like to be offered; counted only. */
final class RequestResources extends FrameworkCall {

  RequestResources(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.REQUEST,
                own(),
                "Tells what the framework would like to be offered; counted only.")
            .carrying("request"));
  }

  @Override
  Step step(Call call) {
    return tx -> tx.count("master/messages_resource_request");
  }
}
