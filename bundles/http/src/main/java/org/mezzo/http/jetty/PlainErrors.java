package org.mezzo.http.jetty;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Jetty's own errors (malformed requests above all) in the form of all others: one plain line. */
final class PlainErrors extends ErrorHandler {
  private static final String TEXT = "text/plain; charset=utf-8";

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    // Jetty reads some header values only after it has accepted the request and then takes what it
    // cannot read for a fault of its own. Faults of handlers do not come here.
    if (response.getStatus() == HttpStatus.INTERNAL_SERVER_ERROR_500
        && request.getAttribute(ERROR_EXCEPTION) instanceof IllegalArgumentException) {
      response.setStatus(HttpStatus.BAD_REQUEST_400);
    }
    byte[] body = text(response.getStatus(), null);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, TEXT);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
    return true;
  }

  @Override
  public ByteBuffer badMessageError(int status, String reason, HttpFields.Mutable fields) {
    fields.put(HttpHeader.CONTENT_TYPE, TEXT);
    return ByteBuffer.wrap(text(status, reason));
  }

  private static byte[] text(int status, String reason) {
    String line = status + " " + HttpStatus.getMessage(status) + ".";
    if (status == HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431
        || status == HttpStatus.URI_TOO_LONG_414) {
      line +=
          " The request line and the headers together must not exceed "
              + JettyConnector.MAX_HEADER_BYTES
              + " bytes; send less, for example fewer cookies.";
    } else if (reason != null && !reason.equals(HttpStatus.getMessage(status))) {
      line += " " + reason;
    }
    return line.getBytes(StandardCharsets.UTF_8);
  }
}
