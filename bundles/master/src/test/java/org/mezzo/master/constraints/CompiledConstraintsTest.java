package org.mezzo.master.constraints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.AttributeConstraint;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/** Offer constraints as a framework says them and as they choose agents. */
class CompiledConstraintsTest {
  /** Far less than the programs of all these would take. */
  private static final long MOST_BYTES = 100 << 20;

  private static final AgentInfo AGENT = agent();

  private static AgentInfo agent() {
    AgentInfo.Builder info = AgentInfo.newBuilder().setHostname("node-1");
    info.addAttributes(
        Attribute.newBuilder()
            .setName("rack")
            .setType(Value.Type.TEXT)
            .setText(Value.Text.newBuilder().setValue("r1")));
    info.addAttributes(
        Attribute.newBuilder()
            .setName("level")
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(3)));
    DomainInfo.Builder domain = DomainInfo.newBuilder();
    domain.getFaultDomainBuilder().getRegionBuilder().setName("eu");
    domain.getFaultDomainBuilder().getZoneBuilder().setName("eu-a");
    return info.setDomain(domain).build();
  }

  private static OfferConstraints.RoleConstraints.Group group(
      Consumer<AttributeConstraint.Builder> with) {
    AttributeConstraint.Builder constraint = AttributeConstraint.newBuilder();
    with.accept(constraint);
    return OfferConstraints.RoleConstraints.Group.newBuilder()
        .addAttributeConstraints(constraint)
        .build();
  }

  private static CompiledConstraints compile(OfferConstraints.RoleConstraints.Group... groups)
      throws InvalidConstraintsException {
    OfferConstraints.RoleConstraints.Builder role = OfferConstraints.RoleConstraints.newBuilder();
    for (var group : groups) {
      role.addGroups(group);
    }
    return CompiledConstraints.of(
        OfferConstraints.newBuilder().putRoleConstraints("r", role.build()).build(),
        RegexLimits.DEFAULT);
  }

  private static boolean passes(
      String attribute, Consumer<AttributeConstraint.Predicate.Builder> predicate)
      throws InvalidConstraintsException {
    return !compile(
            group(
                it -> {
                  it.getSelectorBuilder().setAttributeName(attribute);
                  predicate.accept(it.getPredicateBuilder());
                }))
        .isAgentExcluded("r", AGENT);
  }

  private static boolean matches(
      AttributeConstraint.Selector.PseudoattributeType type, String regex)
      throws InvalidConstraintsException {
    return !compile(
            group(
                it -> {
                  it.getSelectorBuilder().setPseudoattributeType(type);
                  it.getPredicateBuilder().getTextMatchesBuilder().setRegex(regex);
                }))
        .isAgentExcluded("r", AGENT);
  }

  @Test
  void predicatesLookAtAttributes() throws Exception {
    assertThat(passes("rack", p -> p.getTextEqualsBuilder().setValue("r1"))).isTrue();
    assertThat(passes("rack", p -> p.getTextEqualsBuilder().setValue("r"))).isFalse();
    assertThat(passes("rack", p -> p.getTextNotEqualsBuilder().setValue("r"))).isTrue();
    assertThat(passes("rack", p -> p.getTextMatchesBuilder().setRegex("r[0-9]"))).isTrue();
    assertThat(passes("rack", p -> p.getTextMatchesBuilder().setRegex("r"))).isFalse();
    assertThat(passes("rack", p -> p.getTextNotMatchesBuilder().setRegex("r"))).isTrue();
    assertThat(passes("rack", p -> p.getExistsBuilder())).isTrue();
    assertThat(passes("rack", p -> p.getNotExistsBuilder())).isFalse();
    assertThat(passes("none", p -> p.getNotExistsBuilder())).isTrue();
    assertThat(passes("none", p -> p.getTextEqualsBuilder().setValue("x"))).isFalse();
    assertThat(passes("none", p -> p.getTextMatchesBuilder().setRegex(".*"))).isFalse();
    assertThat(passes("none", p -> p.getTextNotEqualsBuilder().setValue("x"))).isTrue();
    assertThat(passes("none", p -> p.getTextNotMatchesBuilder().setRegex(".*"))).isTrue();
    assertThat(passes("level", p -> p.getTextEqualsBuilder().setValue("3"))).isTrue();
    assertThat(passes("level", p -> p.getTextNotEqualsBuilder().setValue("3"))).isTrue();
  }

  @Test
  void predicatesLookAtHostnameRegionAndZone() throws Exception {
    var type = AttributeConstraint.Selector.PseudoattributeType.HOSTNAME;
    assertThat(matches(type, "node-(?P<n>[0-9]+)")).isTrue();
    assertThat(matches(type, "node")).isFalse();
    assertThat(matches(AttributeConstraint.Selector.PseudoattributeType.REGION, "eu")).isTrue();
    assertThat(matches(AttributeConstraint.Selector.PseudoattributeType.ZONE, "eu")).isFalse();
  }

  @Test
  void anyGroupIsEnoughAndRolesWithoutConstraintsTakeAll() throws Exception {
    var never =
        group(
            it -> {
              it.getSelectorBuilder().setAttributeName("rack");
              it.getPredicateBuilder().getNotExistsBuilder();
            });
    var always =
        group(
            it -> {
              it.getSelectorBuilder().setAttributeName("rack");
              it.getPredicateBuilder().getExistsBuilder();
            });
    assertThat(compile(never).isAgentExcluded("r", AGENT)).isTrue();
    assertThat(compile(never, always).isAgentExcluded("r", AGENT)).isFalse();
    assertThat(compile(never).isAgentExcluded("other", AGENT)).isFalse();
    assertThat(compile(never).isConstrained("r")).isTrue();
    assertThat(compile(never).isConstrained("other")).isFalse();
  }

  private static AttributeConstraint.Builder both(AttributeConstraint.Builder constraint) {
    constraint.getSelectorBuilder();
    constraint.getPredicateBuilder();
    return constraint;
  }

  @Test
  void whatMeansNothingIsRefused() {
    assertThatThrownBy(() -> compile()).hasMessageContaining("has an empty");
    assertThatThrownBy(() -> compile(OfferConstraints.RoleConstraints.Group.getDefaultInstance()))
        .hasMessageContaining("contains an empty RoleConstraints::Group");
    assertThatThrownBy(
            () -> compile(group(it -> both(it).getPredicateBuilder().getExistsBuilder())))
        .hasMessageContaining("A role r has an invalid 'AttributeConstraint': Exactly one of");
    assertThatThrownBy(
            () -> compile(group(it -> both(it).getSelectorBuilder().setAttributeName("a"))))
        .hasMessageContaining("Unknown predicate type");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      quoteCharacter = '"',
      value = {
        "(?P<n>a+) aaa",
        "[[:alpha:]]+ abc",
        "\\Qa{9}{9}{9}\\E a{9}{9}{9}",
        "[{](a{3}){3} {aaaaaaaaa",
        "a{,5} a{,5}",
        "(?i)RACK-\\d+ rack-12",
        "\\pL{2} éà",
        "\\x{61}+ aa"
      })
  void whatRe2KnowsMatches(String regex, String text) throws Exception {
    assertThat(RegexLimits.DEFAULT.compile(regex).test(text)).isTrue();
    assertThat(RegexLimits.DEFAULT.compile(regex).test("-" + text)).isFalse();
  }

  @Test
  void whatRe2DoesNotKnowIsRefused() {
    for (String regex : new String[] {"(?!bad).*", "(?<=a)b", "(a)\\1", "a++", "(", "a{1001}"}) {
      assertThatThrownBy(() -> RegexLimits.DEFAULT.compile(regex))
          .as(regex)
          .isInstanceOf(InvalidConstraintsException.class)
          .hasMessageStartingWith("Failed to construct regex from pattern '" + regex + "': ");
    }
  }

  @Test
  void complexityIsBoundedByTheFlags() throws Exception {
    assertThatThrownBy(() -> RegexLimits.DEFAULT.compile("[a-z]{120}"))
        .hasMessageContaining("is too complex: program size of 122 is larger than maximum of 100");
    assertThat(new RegexLimits(8192, 200).compile("[a-z]{120}").test("a".repeat(120))).isTrue();
    assertThatThrownBy(() -> new RegexLimits(1024, 200).compile("[a-z]{120}"))
        .hasMessageContaining("pattern too large: it takes 3904 bytes of the 1024");
  }

  @Test
  void whatGrowsWithoutBoundIsNotEvenCompiled() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    for (String regex :
        new String[] {
          "((a{1000}){1000}){1000}",
          "(((a{2,30}){30})b){30}",
          "a{1000}".repeat(1000),
          "(".repeat(20_000) + "a" + ")".repeat(20_000),
          "(?:(?:[b-z]{1000}|c){500}x)",
          "x".repeat(1_000_000)
        }) {
      assertThatThrownBy(() -> RegexLimits.DEFAULT.compile(regex))
          .isInstanceOf(InvalidConstraintsException.class)
          .message()
          .hasSizeLessThan(500);
    }
    assertThat(threads.getCurrentThreadAllocatedBytes() - before)
        .as("bytes made for them")
        .isLessThan(MOST_BYTES);
  }
}
