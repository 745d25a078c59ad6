package org.mezzo.containerizer;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The input of a container, in one hand at a time. What is asked for happens in the order in which
 * it was asked. Closing the handle leaves the input open for the next one.
 *
 * <p>Stages fail with {@link java.io.IOException} when the container does not take any more: it has
 * ended or closed its input, or the handle is closed.
 */
@ProviderType
public interface ContainerInput extends Attachment {

  /** The most bytes that may wait to be taken; a write that would go beyond fails. */
  int WAITING_MOST = 1 << 20;

  /**
   * Writes bytes to the container's standard input, or types them into its terminal.
   *
   * @param bytes not touched by the caller afterwards
   * @return completes once they are on their way to the container, of which up to 64 KiB wait for
   *     it to read; who writes the next ones then keeps its pace. Fails with {@link
   *     IllegalStateException} when more than {@link #WAITING_MOST} would wait
   */
  CompletionStage<Void> write(ByteBuffer bytes);

  /**
   * Nothing more comes: the standard input ends once what was written is read. A terminal stays as
   * it is, because clients send this when they leave it as well; what runs there reads the end of a
   * file where the character for it is written.
   */
  CompletionStage<Void> end();

  /**
   * Gives the terminal another size, of which its programs are told. Fails with {@link
   * java.io.IOException} when there is no terminal.
   */
  CompletionStage<Void> resize(ContainerIo.Window window);

  /** Completes when the handle is of no use any more, by {@link #close} or by itself. */
  CompletionStage<Void> closed();
}
