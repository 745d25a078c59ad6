package org.mezzo.checkers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;

/**
 * Asks for a page on a connection of its own, follows redirects, and throws the body away (rule
 * 231).
 */
final class HttpAttempt extends Attempt {
  private static final int MOST_REDIRECTS = 20;

  /** How much of a body is read before the connection is closed all the same, and how long. */
  private static final int MOST_BODY = 1 << 20;

  private static final Duration LONGEST_BODY = Duration.ofSeconds(1);

  private Target target;
  private int redirects;
  private Tls tls;
  private ByteBuffer question;
  private ByteBuffer in;
  private ResponseHead head;
  private long body;

  HttpAttempt(CheckThread thread, CheckRequest request, CompletableFuture<CheckResult> result) {
    super(thread, request, result);
    target =
        new Target(
            request.secure(),
            request.ipv6() ? "[::1]" : "127.0.0.1",
            request.port(),
            request.path());
  }

  @Override
  CheckResult refused(String reason) {
    return CheckResult.failed(reason);
  }

  @Override
  void connect() throws IOException {
    Optional<InetAddress> address = target.address();
    if (address.isPresent()) {
      dial(address.get(), target.port());
      return;
    }
    // Only a redirect names a host, and only a thread that may block can look it up.
    AtomicReference<InetAddress> found = new AtomicReference<>();
    thread.resolve(
        () -> {
          try {
            found.set(InetAddress.getByName(target.host()));
          } catch (UnknownHostException e) {
            found.set(null);
          }
        },
        this,
        () -> {
          if (found.get() == null) {
            throw new IOException("the host '" + target.host() + "' of a redirect has no address");
          }
          dial(found.get(), target.port());
        });
  }

  @Override
  void connected() throws IOException {
    question = ByteBuffer.wrap(target.request().getBytes(StandardCharsets.US_ASCII));
    head = new ResponseHead();
    tls = target.secure() ? new Tls(thread.tls(), target) : null;
    in = ByteBuffer.allocate(tls == null ? 4_096 : tls.bufferSize());
    goOn();
  }

  @Override
  void goOn() throws IOException {
    if (finished()) {
      throwAway();
    } else if (tls == null) {
      plain();
    } else {
      secure();
    }
  }

  private void plain() throws IOException {
    channel().write(question);
    if (question.hasRemaining()) {
      await(SelectionKey.OP_WRITE);
      return;
    }
    while (true) {
      in.clear();
      int count = channel().read(in);
      if (count == 0) {
        await(SelectionKey.OP_READ);
        return;
      }
      in.flip();
      if (received(in, count < 0)) {
        return;
      }
    }
  }

  private void secure() throws IOException {
    while (true) {
      switch (tls.step(channel(), question, in)) {
        case COMPUTE -> {
          await(0);
          thread.compute(tls.work(), this, this::goOn);
          return;
        }
        case WRITE -> {
          await(SelectionKey.OP_WRITE);
          return;
        }
        case READ -> {
          await(SelectionKey.OP_READ);
          return;
        }
        case RECEIVED -> {
          in.flip();
          if (received(in, false)) {
            return;
          }
          in.clear();
        }
        case END -> {
          in.flip();
          received(in, true);
          return;
        }
      }
    }
  }

  /**
   * More of the answer is here.
   *
   * @return whether no more is waited for on this connection by whoever calls
   */
  private boolean received(ByteBuffer bytes, boolean end) throws IOException {
    if (!head.read(bytes)) {
      if (end) {
        throw new IOException("the connection was closed before there was an answer");
      }
      return false;
    }
    Optional<String> location = head.location();
    if (location.isPresent()) {
      if (++redirects > MOST_REDIRECTS) {
        throw new IOException("there were more than " + MOST_REDIRECTS + " redirects");
      }
      target = target.redirected(location.get());
      hangUp();
      connect();
      return true;
    }
    finishAndStay(CheckResult.answered(head.status()), LONGEST_BODY);
    if (tls != null) {
      tls.sayGoodbye(channel());
    }
    if (end) {
      end();
    } else {
      throwAway();
    }
    return true;
  }

  private void throwAway() throws IOException {
    while (true) {
      in.clear();
      int count = channel().read(in);
      body += Math.max(0, count);
      if (count < 0 || body > MOST_BODY) {
        end();
        return;
      }
      if (count == 0) {
        await(SelectionKey.OP_READ);
        return;
      }
    }
  }
}
