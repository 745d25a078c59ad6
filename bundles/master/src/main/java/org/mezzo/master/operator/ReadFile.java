package org.mezzo.master.operator;

import com.google.protobuf.ByteString;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** READ_FILE: a piece of an attached file (rules 349 to 351). */
final class ReadFile implements ApiCall<Call> {
  private final VirtualFiles files;

  ReadFile(VirtualFiles files) {
    this.files = files;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
            Call.Type.READ_FILE, FileCalls.permission(), "A piece of an attached file.")
        .carrying("read_file");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    Call.ReadFile wanted = call.getReadFile();
    FileCalls.answer(
        files,
        wanted.getPath(),
        exchange,
        () ->
            files.read(
                wanted.getPath(), wanted.getOffset(), wanted.hasLength() ? wanted.getLength() : -1),
        chunk ->
            Response.newBuilder()
                .setType(Response.Type.READ_FILE)
                .setReadFile(
                    Response.ReadFile.newBuilder()
                        .setSize(chunk.size())
                        .setData(ByteString.copyFrom(chunk.data())))
                .build());
  }
}
