package org.mezzo.checkers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/** What lies between a connection and what is said on it. For the thread of probes only. */
final class Tls {
  /** What has to happen next. */
  enum Next {
    /** Computing, by {@link #work}. */
    COMPUTE,
    /** The channel can take more. */
    WRITE,
    /** The channel has more. */
    READ,
    /** Nothing: there is more text to look at. */
    RECEIVED,
    /** The other side has ended. */
    END
  }

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SSLEngine engine;
  private final ByteBuffer incoming;
  private final ByteBuffer outgoing;

  Tls(SSLContext context, Target target) throws IOException {
    engine = context.createSSLEngine(target.host(), target.port());
    engine.setUseClientMode(true);
    incoming = ByteBuffer.allocate(engine.getSession().getPacketBufferSize()).flip();
    outgoing = ByteBuffer.allocate(engine.getSession().getPacketBufferSize()).flip();
    engine.beginHandshake();
  }

  int bufferSize() {
    return engine.getSession().getApplicationBufferSize();
  }

  /** What is to be computed. */
  Runnable work() {
    return () -> {
      for (Runnable task = engine.getDelegatedTask();
          task != null;
          task = engine.getDelegatedTask()) {
        task.run();
      }
    };
  }

  /**
   * Goes as far as it can without waiting.
   *
   * @param request what is to be said once there is somebody to say it to
   * @param text gets what comes back, behind its position
   */
  Next step(SocketChannel channel, ByteBuffer request, ByteBuffer text) throws IOException {
    while (true) {
      if (outgoing.hasRemaining()) {
        channel.write(outgoing);
        if (outgoing.hasRemaining()) {
          return Next.WRITE;
        }
      }
      HandshakeStatus status = engine.getHandshakeStatus();
      if (status == HandshakeStatus.NEED_TASK) {
        return Next.COMPUTE;
      } else if (status == HandshakeStatus.NEED_WRAP) {
        wrap(NOTHING);
      } else if (status == HandshakeStatus.NOT_HANDSHAKING && request.hasRemaining()) {
        wrap(request);
      } else {
        SSLEngineResult result = engine.unwrap(incoming, text);
        if (result.bytesProduced() > 0) {
          return Next.RECEIVED;
        }
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
          return Next.END;
        }
        if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
          incoming.compact();
          int count = channel.read(incoming);
          incoming.flip();
          if (count < 0) {
            return Next.END;
          } else if (count == 0) {
            return Next.READ;
          }
        } else if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
          throw new IOException("a record of TLS is longer than TLS allows");
        }
      }
    }
  }

  private void wrap(ByteBuffer text) throws IOException {
    outgoing.clear();
    engine.wrap(text, outgoing);
    outgoing.flip();
  }

  /** Says that nothing more will be said, where that needs no waiting. */
  void sayGoodbye(SocketChannel channel) throws IOException {
    engine.closeOutbound();
    wrap(NOTHING);
    channel.write(outgoing);
  }
}
