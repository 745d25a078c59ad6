package org.mezzo.http.jetty;

import java.io.EOFException;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.api.server.ServerSessionListener;
import org.eclipse.jetty.http2.frames.GoAwayFrame;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;

/**
 * HTTP/2 for clients that say goodbye. Jetty keeps the streams of a client that sent GOAWAY and
 * closed its side, because it could still read; here such a client has left, and whoever streams to
 * it is to know without having to write. And HTTP/2 by upgrade for clients that offer it with
 * whatever body.
 */
final class Departures {
  private static final long PERIOD_MILLIS = 250;

  private Departures() {}

  static HTTP2ServerConnectionFactory cleartext(HttpConfiguration configuration) {
    return new HTTP2CServerConnectionFactory(configuration) {
      /**
       * An upgrade that is offered with a body is not taken, and the request answered over
       * HTTP/1.1, as a server may: Jetty leaves alone only bodies whose length was told, and would
       * take the chunks of others for frames.
       */
      @Override
      public Connection upgradeConnection(
          Connector connector,
          EndPoint endPoint,
          MetaData.Request request,
          HttpFields.Mutable response101) {
        return request.getHttpFields().contains(HttpHeader.TRANSFER_ENCODING)
            ? null
            : super.upgradeConnection(connector, endPoint, request, response101);
      }

      @Override
      protected ServerSessionListener newSessionListener(Connector connector, EndPoint endPoint) {
        return new HTTPServerSessionListener(endPoint) {
          @Override
          public void onGoAway(org.eclipse.jetty.http2.api.Session session, GoAwayFrame frame) {
            watch(connector, endPoint);
            super.onGoAway(session, frame);
          }
        };
      }
    };
  }

  static HTTP2ServerConnectionFactory tls(HttpConfiguration configuration) {
    return new HTTP2ServerConnectionFactory(configuration) {
      @Override
      protected ServerSessionListener newSessionListener(Connector connector, EndPoint endPoint) {
        return new HTTPServerSessionListener(endPoint) {
          @Override
          public void onGoAway(org.eclipse.jetty.http2.api.Session session, GoAwayFrame frame) {
            watch(connector, endPoint);
            super.onGoAway(session, frame);
          }
        };
      }
    };
  }

  private static void watch(Connector connector, EndPoint endPoint) {
    connector
        .getScheduler()
        .schedule(
            () -> {
              if (!endPoint.isOpen()) {
                return;
              }
              if (endPoint.isInputShutdown()) {
                connector
                    .getExecutor()
                    .execute(() -> endPoint.close(new EOFException("The client has left")));
              } else {
                watch(connector, endPoint);
              }
            },
            PERIOD_MILLIS,
            TimeUnit.MILLISECONDS);
  }
}
