package org.mezzo.master.operator;

import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** LIST_FILES: what an attached directory holds (rules 349 to 351). */
final class ListFiles implements ApiCall<Call> {
  private final VirtualFiles files;

  ListFiles(VirtualFiles files) {
    this.files = files;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
            Call.Type.LIST_FILES, FileCalls.permission(), "What an attached directory holds.")
        .carrying("list_files");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    String path = call.getListFiles().getPath();
    FileCalls.answer(
        files,
        path,
        exchange,
        () -> files.browse(path),
        infos ->
            Response.newBuilder()
                .setType(Response.Type.LIST_FILES)
                .setListFiles(Response.ListFiles.newBuilder().addAllFileInfos(infos))
                .build());
  }
}
