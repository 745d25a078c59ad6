package org.mezzo.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.net.BindException;
import org.junit.jupiter.api.Test;

class ReasonsTest {
  private static void says(Throwable failure, String expected) {
    StringWriter trace = new StringWriter();
    failure.printStackTrace(new PrintWriter(trace));
    assertThat(Reasons.of(failure)).isEqualTo(expected);
    assertThat(Reasons.ofStackTrace(trace.toString())).isEqualTo(expected);
  }

  @Test
  void theRemedyIsSaidRatherThanTheLastCause() {
    BindException taken = new BindException("Address already in use");
    IOException failed = new IOException("Failed to bind to /127.0.0.1:5050", taken);
    IOException remedy =
        new IOException("Cannot listen on 127.0.0.1:5050: choose another --port", failed);
    says(
        new InvocationTargetException(new UncheckedIOException(remedy)),
        "Cannot listen on 127.0.0.1:5050: choose another --port (Address already in use)");
  }

  @Test
  void wrappersSayNothing() {
    says(
        new RuntimeException(new IllegalArgumentException("flag --port: 'x' is no number")),
        "flag --port: 'x' is no number");
    says(
        new InvocationTargetException(new NullPointerException()),
        "java.lang.NullPointerException");
    says(
        new IllegalStateException(new ArithmeticException("/ by zero")),
        "java.lang.ArithmeticException: / by zero");
  }

  @Test
  void linesOfOneMessageStayTogether() {
    says(new IllegalStateException("two things:\n  this\n  that"), "two things:\n  this\n  that");
    assertThat(Reasons.ofStackTrace(null)).isEqualTo("null");
  }
}
