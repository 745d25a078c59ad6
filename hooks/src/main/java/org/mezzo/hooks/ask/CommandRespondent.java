package org.mezzo.hooks.ask;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mezzo.api.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that reads a question in each line of its input and writes an answer in each line of
 * its output. It is started before it is asked, and stays. One that ends, is late or writes what is
 * no answer is killed with all that it has started, and started anew; each time that follows such
 * an end without an answer in between it waits longer before. A thread of its own writes and reads,
 * so that nobody else is held by a pipe.
 */
final class CommandRespondent implements Respondent {
  private static final Logger LOG = LoggerFactory.getLogger(CommandRespondent.class);

  /** A line may be so long. */
  static final int LONGEST_ANSWER = 1 << 20;

  private static final Duration END = Duration.ofSeconds(2);
  private static final long LOOK_MILLIS = 100;

  private static final class Exchange {
    private final long id;
    private final byte[] question;
    private final CompletableFuture<Answer> answer = new CompletableFuture<>();

    Exchange(long id, byte[] question) {
      this.id = id;
      this.question = question;
    }
  }

  private final String command;
  private final BlockingQueue<Exchange> next = new ArrayBlockingQueue<>(1);
  private final Metrics.Counter starts;
  private final Rest rest;
  private final CountDownLatch tried = new CountDownLatch(1);
  private final Thread worker;
  private volatile Process process;
  private volatile boolean closed;

  /**
   * Starts it, and waits for that a little.
   *
   * @param command of the shell
   * @param name of the thread
   */
  CommandRespondent(String command, Rest rest, Metrics metrics, String name)
      throws InterruptedException {
    this.command = command;
    this.rest = rest;
    starts = metrics.counter("starts");
    worker = new Thread(this::work, name);
    worker.setDaemon(true);
    worker.setContextClassLoader(null);
    worker.start();
    if (!tried.await(END.toMillis(), TimeUnit.MILLISECONDS)) {
      LOG.warn("The command of hook 'ask' takes long to start: {}", command);
    }
  }

  @Override
  public boolean ready() {
    return process != null;
  }

  @Override
  public Answer ask(long id, byte[] question, Duration limit)
      throws IOException, InterruptedException {
    Exchange exchange = new Exchange(id, question);
    Process asked = process;
    if (asked == null || !next.offer(exchange)) {
      throw new IOException("the command does not run");
    }
    try {
      return exchange.answer.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      next.remove(exchange);
      kill(asked);
      throw new IOException("the command did not answer within " + limit.toMillis() + " ms", e);
    }
  }

  private void work() {
    while (!closed) {
      try {
        serve();
      } catch (InterruptedException e) {
        break;
      }
    }
  }

  /** From one start to its end. */
  private void serve() throws InterruptedException {
    rest.await();
    if (closed) {
      return;
    }
    Exchange exchange = null;
    IOException why;
    try {
      Process started =
          new ProcessBuilder("/bin/sh", "-c", command)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      starts.increment();
      process = started;
      tried.countDown();
      OutputStream out = started.getOutputStream();
      InputStream in = new BufferedInputStream(started.getInputStream(), 1 << 16);
      while (true) {
        exchange = next.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        if (closed) {
          why = new IOException("the hook is closed");
          break;
        }
        if (exchange != null) {
          exchange.answer.complete(answer(exchange, out, in));
          rest.over();
          exchange = null;
        } else if (!started.isAlive()) {
          why = new EOFException("the command has ended with status " + started.exitValue());
          break;
        }
      }
    } catch (IOException e) {
      why = e;
    } finally {
      tried.countDown();
      Process ended = process;
      process = null;
      if (ended != null) {
        kill(ended);
      }
    }
    if (exchange == null) {
      exchange = next.poll();
    }
    if (exchange != null) {
      exchange.answer.completeExceptionally(why);
    }
    if (!closed) {
      rest.needed();
      LOG.warn("The command of hook 'ask' is started again: {}", why.getMessage());
    }
  }

  private static Answer answer(Exchange exchange, OutputStream out, InputStream in)
      throws IOException {
    out.write(exchange.question);
    out.write('\n');
    out.flush();
    Answer answer = Answer.read(line(in));
    if (answer.id().orElse(-1) != exchange.id) {
      throw new IOException(
          "the command answered without the 'id' of the question; copy it into the answer");
    }
    return answer;
  }

  private static byte[] line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(256);
    for (int read = in.read(); read != '\n'; read = in.read()) {
      if (read < 0) {
        throw new EOFException("the command has ended instead of answering");
      }
      if (line.size() == LONGEST_ANSWER) {
        throw new IOException("the command answered more than " + LONGEST_ANSWER + " bytes");
      }
      line.write(read);
    }
    return line.toByteArray();
  }

  private static void kill(Process whole) {
    whole.descendants().forEach(ProcessHandle::destroyForcibly);
    whole.destroyForcibly();
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    rest.over();
    Process running = process;
    if (running != null) {
      kill(running);
    }
    worker.join(END.toMillis());
    worker.interrupt();
  }
}
