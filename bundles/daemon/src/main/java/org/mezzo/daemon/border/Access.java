package org.mezzo.daemon.border;

/** What a route asks of a request before its endpoint sees it; names the realm (rule 14). */
public enum Access {
  /** Anybody. */
  NONE,
  /** {@code --authenticate_http_readonly}. */
  READONLY,
  /** {@code --authenticate_http_readwrite}. */
  READWRITE,
  /** {@code --authenticate_http_frameworks}. */
  SCHEDULER,
  /** {@code --authenticate_http_executors}. */
  EXECUTOR
}
