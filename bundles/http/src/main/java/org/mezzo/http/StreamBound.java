package org.mezzo.http;

import java.time.Duration;

/**
 * What may wait for a client that reads slowly, or not at all. A message of any size is taken when
 * nothing waits behind the one that is being sent, so that the largest one always fits.
 *
 * @param bytes what may wait for as long as the client likes, what is being sent included
 * @param most what may wait behind the message that is being sent, however steadily the client
 *     reads; at least {@code bytes}
 * @param patience how long a client may take nothing at all while more than {@code bytes} wait
 */
public record StreamBound(long bytes, long most, Duration patience) {
  private static final int BURST = 8;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Bounds that make sense, and a patience longer than none. */
  public StreamBound {
    if (bytes < 0 || most < bytes || patience.isNegative()) {
      throw new IllegalArgumentException("No bound of a stream: " + bytes + ", " + most);
    }
  }

  /**
   * A bound for clients that read: those take bursts of eight times the size, unless that were more
   * than an eighth of the heap, and are waited for half a minute.
   */
  public static StreamBound of(long bytes) {
    long heap = Runtime.getRuntime().maxMemory();
    return new StreamBound(bytes, Math.max(bytes, Math.min(BURST * bytes, heap / 8)), PATIENCE);
  }
}
