package org.mezzo.testing;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.mezzo.api.Sink;

/** Keeps what was reported, so that a test can ask for it. Safe for any thread. */
public final class FakeSink<T> implements Sink<T> {
  private final List<T> reports = new CopyOnWriteArrayList<>();
  private volatile Receipt answer = Receipt.TAKEN;

  /** Answers so from now on; what gets another answer than {@code TAKEN} is not kept. */
  public FakeSink<T> answering(Receipt receipt) {
    answer = Objects.requireNonNull(receipt);
    return this;
  }

  @Override
  public Receipt report(T report) {
    Objects.requireNonNull(report, "a report is null");
    Receipt now = answer;
    if (now == Receipt.TAKEN) {
      reports.add(report);
    }
    return now;
  }

  /** What was taken, in order; a copy. */
  public List<T> reports() {
    return List.copyOf(reports);
  }
}
