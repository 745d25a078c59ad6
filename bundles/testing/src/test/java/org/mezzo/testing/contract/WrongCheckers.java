package org.mezzo.testing.contract;

import java.util.concurrent.CompletableFuture;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;
import org.mezzo.protocol.v1.CheckInfo;

/** Checkers that break a rule each, as those of {@link Wrong} do. */
final class WrongCheckers {
  private WrongCheckers() {}

  @FailsIn("saysThatATaskDoesNotAnswerInTime")
  static class CheckerThatHasTime extends CheckerContract {
    @Override
    protected Checker module() {
      return new PlainChecker() {
        @Override
        boolean isOver(CheckRequest request, long begin) {
          return false;
        }
      };
    }

    @Override
    protected CheckInfo.Type type() {
      return CheckInfo.Type.TCP;
    }
  }

  @FailsIn("endsWhatNobodyWaitsForAnyMore")
  static class CheckerThatGoesOn extends CheckerContract {
    @Override
    protected Checker module() {
      return new PlainChecker() {
        @Override
        boolean isOver(CompletableFuture<CheckResult> result) {
          return !result.isCancelled();
        }
      };
    }

    @Override
    protected CheckInfo.Type type() {
      return CheckInfo.Type.TCP;
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class CheckerThatSaysWhatCannotBe extends CheckerContract {
    @Override
    protected Checker module() {
      return new PlainChecker() {
        @Override
        CheckResult connected() {
          return CheckResult.answered(200);
        }
      };
    }

    @Override
    protected CheckInfo.Type type() {
      return CheckInfo.Type.TCP;
    }
  }

  @FailsIn("takesEveryPort")
  static class CheckerThatBelievesFrameworks extends CheckerContract {
    @Override
    protected Checker module() {
      return new PlainChecker() {
        @Override
        boolean exists(int port) {
          return true;
        }
      };
    }

    @Override
    protected CheckInfo.Type type() {
      return CheckInfo.Type.TCP;
    }
  }
}
