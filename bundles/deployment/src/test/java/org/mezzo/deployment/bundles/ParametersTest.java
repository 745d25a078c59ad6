package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.modules.ToldGreeter;

/** An operator changes the parameters of a module. */
class ParametersTest extends DeploymentsInFramework {
  private static final String METATYPE =
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <metatype:MetaData xmlns:metatype="http://www.osgi.org/xmlns/metatype/v1.2.0">
        <OCD id="told" name="told" description="what is said">
          <AD id="word" type="String" required="false" max="8"/>
          <AD id="secret" type="Password" required="false"/>
        </OCD>
        <Designate pid="%s"><Object ocdref="told"/></Designate>
      </metatype:MetaData>
      """
          .formatted(ToldGreeter.class.getName() + ".polite");

  private void deployTold() throws Exception {
    greeter("1.0.0", ToldGreeter.class)
        .with("OSGI-INF/metatype/told.xml", METATYPE)
        .build(modules.resolve("g.jar"));
    deploy();
    // Until then a process that ends has a new bundle suspected.
    await(() -> journal().contains("SURVIVED"));
  }

  private Action configure(Map<String, String> set, String... unset) throws Exception {
    return deployments
        .configure("polite", set, Set.of(unset), "Ada")
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  private String greeting() throws Exception {
    return lease
        .ask("greet", greeter -> greeter.greet("Bob"))
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS);
  }

  @Test
  void aChangeOutlivesAKillAndCanBeTakenBack() throws Exception {
    deployTold();
    Action change = configure(Map.of("word", "ahoy", "secret", "geheim"));
    assertThat(change.succeeded()).as(change.outcome()).isTrue();
    assertThat(change.kind()).isEqualTo(Action.Kind.CONFIGURE);
    assertThat(change.principal()).isEqualTo("Ada");
    assertThat(change.symbolicName()).isEqualTo("greeter/polite");
    assertThat(change.gap()).isZero();
    assertThat(change.outcome())
        .isEqualTo("secret was set, word=ahoy; by a new instance in master");
    assertThat(greeting()).isEqualTo("ahoy Bob");
    assertThat(lost).hasValue(1);

    Path left = leftNow();
    restartAfterKill(left);
    await(() -> holder().equals("1.0.0"));
    assertThat(greeting()).isEqualTo("ahoy Bob");
    assertThat(deployments.history().toString()).contains("word=ahoy").doesNotContain("geheim");

    change = configure(Map.of(), "word");
    assertThat(change.outcome()).startsWith("word was unset");
    assertThat(greeting()).isEqualTo("hello Bob");
    assertThat(configure(Map.of(), "word").outcome())
        .isEqualTo(
            "parameter 'word' was not set by an operator; set are secret; nothing was changed");
  }

  @Test
  void whatCannotBeUsedChangesNothing() throws Exception {
    deployTold();
    assertThat(configure(Map.of("word", "ahoy")).succeeded()).isTrue();
    String before = journal();
    for (Map.Entry<String, String> bad :
        Map.of(
                "bad", "that is no word",
                "ill", "I feel ill",
                "much too long", "has to be a text with a length to 8")
            .entrySet()) {
      Action change = configure(Map.of("word", bad.getKey()));
      assertThat(change.succeeded()).isFalse();
      assertThat(change.outcome()).contains(bad.getValue());
      assertThat(change.outcome()).containsPattern("nothing was changed|former parameters stay");
      assertThat(greeting()).isEqualTo("ahoy Bob");
    }
    assertThat(configure(Map.of("wort", "x")).outcome())
        .isEqualTo(
            "greeter/polite has no parameter 'wort'; there are word, secret; nothing was changed");
    assertThat(leases.quarantined()).isEmpty();
    assertThat(journal().substring(before.length())).doesNotContain("PARAMETERS");
    restartAfterKill(leftNow());
    await(() -> holder().equals("1.0.0"));
    assertThat(greeting()).isEqualTo("ahoy Bob");
  }

  @Test
  void aProcessThatEndsMeanwhileHasTheFormerValues() throws Exception {
    deployTold();
    assertThat(configure(Map.of("word", "ahoy")).succeeded()).isTrue();
    assertThat(configure(Map.of("word", "hi")).succeeded()).isTrue();
    restartAfterKill(cutAfter(leftNow(), "given to by a new instance"));
    await(() -> holder().equals("1.0.0"));
    assertThat(greeting()).isEqualTo("ahoy Bob");
    assertThat(deployments.history().get(0).outcome()).contains("the process ended after");
  }
}
