package org.mezzo.api.checker;

import java.util.concurrent.CompletionStage;
import org.mezzo.api.Module;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Tries whether tasks answer: makes the checks and health checks of one type. An agent uses the
 * module with the name {@code http} for those of type HTTP, and {@code tcp} for those of type TCP;
 * commands it runs itself, as they are containers. When a task is looked at, and what becomes of it
 * then, the agent decides (rules 228 to 236).
 *
 * <p>No verdict is no verdict: where the checker is absent, throws, answers with what fits no check
 * of the type, or has not answered 5 seconds after the time of a check was over, what is known of
 * the task stays as it was. Nothing is killed for it and nothing told; it is counted ({@code
 * slave/mezzo/check_probes_unknown}) and said in the log, and tried again after the interval. That
 * a task does not answer in time is for the checker to say, by {@link CheckResult#failed}.
 *
 * <p>Threading: see {@link Module}; {@link #check} is called on several threads at a time and must
 * not wait for the task: hundreds of looks are under way, each without a thread of its own, and the
 * answer is a stage. The agent lets 256 begin at a time, and more where they take over 10 seconds.
 */
@ConsumerType
public interface Checker extends Module {

  /** The value of {@code mezzo.module.kind} of checkers. */
  String KIND = "checker";

  /**
   * Looks at a task once.
   *
   * @param request what to try, where and for how long
   * @return completes on any thread with what came of it, no later than the request's timeout after
   *     this call; is cancelled when nobody wants to know any more, after which nothing may go on.
   *     Not null
   * @throws Exception when nothing could be tried, which is no verdict
   */
  CompletionStage<CheckResult> check(CheckRequest request) throws Exception;
}
