package org.mezzo.agent.endpoints;

import com.google.protobuf.ByteString;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** {@code READ_FILE}. */
final class ReadFile implements ApiCall<Call> {
  private final VirtualFiles files;

  ReadFile(VirtualFiles files) {
    this.files = files;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.READ_FILE,
            Permission.perObject(Action.ACCESS_SANDBOX, Action.ACCESS_MESOS_LOG),
            "A piece of a file, by its virtual path.")
        .carrying("read_file");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    Call.ReadFile wanted = call.getReadFile();
    long length = wanted.hasLength() ? wanted.getLength() : -1;
    exchange.respondWhen(
        FileException.refusing(
                files.onBehalfOf(
                    exchange.principal(),
                    wanted.getPath(),
                    () -> files.read(wanted.getPath(), wanted.getOffset(), length)),
                FileException::getMessage)
            .thenApply(
                chunk ->
                    Response.newBuilder()
                        .setType(Response.Type.READ_FILE)
                        .setReadFile(
                            Response.ReadFile.newBuilder()
                                .setSize(chunk.size())
                                .setData(ByteString.copyFrom(chunk.data())))
                        .build()));
  }
}
