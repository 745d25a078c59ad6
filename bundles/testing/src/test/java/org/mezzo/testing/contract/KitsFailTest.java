package org.mezzo.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** Each kit passes what is right, and fails what is wrong in the one way that its class says. */
class KitsFailTest {

  static Object[] right() {
    return Right.class.getDeclaredClasses();
  }

  static Object[] wrong() {
    return Stream.of(Wrong.class, WrongCheckers.class)
        .flatMap(each -> Arrays.stream(each.getDeclaredClasses()))
        .toArray();
  }

  @ParameterizedTest
  @MethodSource("right")
  void passes(Class<?> kit) {
    assertThat(failed(selectClass(kit))).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void fails(Class<?> kit) {
    String[] tests = kit.getAnnotation(FailsIn.class).value();
    assertThat(
            failed(
                Arrays.stream(tests)
                    .map(test -> selectMethod(kit, test))
                    .toArray(DiscoverySelector[]::new)))
        .containsExactlyInAnyOrder(tests);
  }

  /** Every kit has something right and something wrong here, so that none is forgotten. */
  @ParameterizedTest
  @MethodSource("right")
  void isShownToFail(Class<?> kit) {
    assertThat(Arrays.stream(wrong()).map(each -> ((Class<?>) each).getSuperclass()))
        .anyMatch(each -> each == kit.getSuperclass());
  }

  private static Set<String> failed(DiscoverySelector... tests) {
    return EngineTestKit.engine("junit-jupiter")
        .selectors(tests)
        .execute()
        .testEvents()
        .failed()
        .stream()
        .map(Event::getTestDescriptor)
        .map(each -> each.getDisplayName().replace("()", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
