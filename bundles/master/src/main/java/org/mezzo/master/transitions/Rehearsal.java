package org.mezzo.master.transitions;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.mezzo.api.allocator.Allocator;

/**
 * Finds steps that touch more than their transition: such a step, run again on the same state, does
 * not make the same of it. Used where assertions are enabled, which is in tests.
 */
public final class Rehearsal {
  private Rehearsal() {}

  /**
   * Runs a step again from where a transition began and compares.
   *
   * @param done the transition that the step has made
   * @return true, for {@code assert}
   * @throws AssertionError when the step made something else this time
   */
  public static boolean repeats(Step step, Transition done) {
    Transition again = new Transition(done.before(), done.now(), done.settings());
    step.apply(again);
    compare("state", done.state(), again.state());
    compare("happenings", done.happenings(), again.happenings());
    compare("effects", described(done), described(again));
    return true;
  }

  private static void compare(String what, Object first, Object second) {
    if (!first.equals(second)) {
      throw new AssertionError(
          "A step touches more than its transition: run twice, it made other "
              + what
              + "\nfirst:  "
              + first
              + "\nsecond: "
              + second);
    }
  }

  /** Effects without what cannot be compared: the steps that are to follow. */
  private static List<Object> described(Transition tx) {
    Description description = new Description();
    tx.effects().forEach(effect -> effect.accept(description));
    return description.lines;
  }

  private static final class Description implements Effect.Handler {
    private final List<Object> lines = new ArrayList<>();

    private void line(Object... parts) {
      lines.add(Arrays.asList(parts));
    }

    @Override
    public void bindStream(Effect.BindStream effect) {
      line(effect);
    }

    @Override
    public void send(Effect.Send effect) {
      line(effect);
    }

    @Override
    public void heartbeat(Effect.Heartbeat effect) {
      line(effect);
    }

    @Override
    public void endStream(Effect.EndStream effect) {
      line(effect);
    }

    @Override
    public void toAgent(Effect.ToAgent effect) {
      line("toAgent", effect.agentId(), effect.event().build());
    }

    @Override
    public void toLink(Effect.ToLink effect) {
      line("toLink", effect.linkNumber(), effect.event().build());
    }

    @Override
    public void refuseLink(Effect.RefuseLink effect) {
      line(effect);
    }

    @Override
    public void bindLink(Effect.BindLink effect) {
      line(effect);
    }

    @Override
    public void endLink(Effect.EndLink effect) {
      line(effect);
    }

    @Override
    public void ping(Effect.Ping effect) {
      line(effect);
    }

    /** What allocators are told is found out by being one. */
    @Override
    public void tell(Effect.Tell effect) {
      Object allocator =
          Proxy.newProxyInstance(
              Allocator.class.getClassLoader(),
              new Class<?>[] {Allocator.class},
              (proxy, method, arguments) -> {
                line("tell", method.getName(), arguments == null ? 0 : Arrays.asList(arguments));
                return null;
              });
      effect.change().accept((Allocator) allocator);
    }

    @Override
    public void allocate(Effect.Allocate effect) {
      line(effect);
    }

    @Override
    public void markUnreachable(Effect.MarkUnreachable effect) {
      line("markUnreachable", effect.agentId());
    }

    @Override
    public void store(Effect.Store effect) {
      effect
          .changes()
          .forEach(change -> line("store", change.key(), Arrays.toString(change.value())));
    }

    @Override
    public void after(Effect.After effect) {
      line("after", effect.name(), effect.delay());
    }

    @Override
    public void callOff(Effect.CallOff effect) {
      line(effect);
    }

    @Override
    public void answer(Effect.Answer effect) {
      line("answer");
    }

    @Override
    public void next(Effect.Next effect) {
      line("next");
    }

    @Override
    public void agentLost(Effect.AgentLost effect) {
      line(effect);
    }

    @Override
    public void consult(Effect.Consult effect) {
      Consultation asked = effect.consultation();
      line("consult", asked.framework(), asked.agent(), asked.tasks());
    }

    @Override
    public void count(Effect.Count effect) {
      line(effect);
    }
  }
}
