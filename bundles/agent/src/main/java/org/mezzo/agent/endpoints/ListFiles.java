package org.mezzo.agent.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code LIST_FILES}. */
final class ListFiles implements ApiCall<Call> {
  private final VirtualFiles files;

  ListFiles(VirtualFiles files) {
    this.files = files;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.LIST_FILES,
            Permission.perObject(Action.ACCESS_SANDBOX, Action.ACCESS_MESOS_LOG),
            "What a directory holds, by its virtual path.")
        .carrying("list_files");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    String path = call.getListFiles().getPath();
    exchange.respondWhen(
        FileException.refusing(
                files.onBehalfOf(exchange.principal(), path, () -> files.browse(path)),
                FileException::getMessage)
            .thenApply(
                infos ->
                    Response.newBuilder()
                        .setType(Response.Type.LIST_FILES)
                        .setListFiles(Response.ListFiles.newBuilder().addAllFileInfos(infos))
                        .build()));
  }
}
