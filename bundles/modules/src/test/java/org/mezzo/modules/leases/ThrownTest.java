package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

final class ThrownTest {

  /** Throws whenever it is asked something. */
  private static final class Mute extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new StackOverflowError();
    }

    @Override
    public String toString() {
      throw new Mute();
    }

    @Override
    public StackTraceElement[] getStackTrace() {
      return new StackTraceElement[] {null};
    }
  }

  private static final class Own extends IOException {
    private static final long serialVersionUID = 1L;

    int asked;

    Own(String message, Throwable cause) {
      super(message, cause);
    }

    @Override
    public String getMessage() {
      asked++;
      return super.getMessage();
    }
  }

  @Test
  void whatThePlatformHasIsGivenOnAsItIs() {
    IOException thrown = new IOException("gone", new IllegalStateException("why"));
    assertThat(Thrown.of(thrown).cause()).isSameAs(thrown);
    assertThat(Thrown.of(thrown).fault()).isFalse();
    assertThat(Thrown.of(thrown).text()).isEqualTo("java.io.IOException: gone");
  }

  @Test
  void theCopySaysTheSameAndAsksNoMore() {
    Own thrown = new Own("gone", new Own("why", null));
    Thrown told = Thrown.of(thrown);
    int asked = thrown.asked;
    assertThat(told.fault()).isFalse();
    assertThat(told.text()).isEqualTo(Own.class.getName() + ": gone");
    assertThat(told.cause()).hasToString(told.text()).hasMessage("gone");
    assertThat(told.cause().getCause()).hasMessage("why");
    assertThat(told.cause().getStackTrace()).isEqualTo(thrown.getStackTrace());
    assertThat(thrown.asked).isEqualTo(asked);
  }

  @Test
  void whatCannotSayWhatItIsIsNamed() {
    Thrown told = Thrown.of(new IllegalStateException(null, new Mute()));
    assertThat(told.fault()).isTrue();
    assertThat(told.cause().getCause().toString()).startsWith(Mute.class.getName());
    assertThat(told.cause().getCause().getStackTrace()).isEmpty();
  }

  @Test
  void whatHasNoEndIsCut() {
    RuntimeException a = new RuntimeException("x".repeat(1_000_000));
    a.initCause(new RuntimeException("b", a));
    Thrown told = Thrown.of(a);
    assertThat(told.text()).hasSizeLessThan(20_000);
    int causes = 0;
    for (Throwable cause = told.cause(); cause != null; cause = cause.getCause()) {
      assertThat(cause.toString()).hasSizeLessThan(20_000);
      causes++;
    }
    assertThat(causes).isLessThan(20);
  }
}
