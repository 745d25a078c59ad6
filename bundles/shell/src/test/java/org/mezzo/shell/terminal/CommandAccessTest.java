package org.mezzo.shell.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

final class CommandAccessTest {
  /** A service with properties. */
  private static ServiceReference<?> offer(Map<String, Object> properties) {
    return (ServiceReference<?>)
        Proxy.newProxyInstance(
            ServiceReference.class.getClassLoader(),
            new Class<?>[] {ServiceReference.class},
            (proxy, method, arguments) ->
                method.getName().equals("getProperty") ? properties.get(arguments[0]) : null);
  }

  /** A framework in which these offer whatever is asked for. */
  private static CommandAccess access(ServiceReference<?>... offers) {
    return CommandAccess.of(
        (BundleContext)
            Proxy.newProxyInstance(
                BundleContext.class.getClassLoader(),
                new Class<?>[] {BundleContext.class},
                (proxy, method, arguments) -> offers.length == 0 ? null : offers));
  }

  @Test
  void aCommandNeedsWhatItsServiceSays() {
    ServiceReference<?> offer =
        offer(
            Map.of(
                "mezzo.command.view",
                new String[] {"look", "peek"},
                "mezzo.command.operate",
                List.of("turn"),
                "mezzo.command.administer",
                "break"));
    CommandAccess access = access(offer);
    assertThat(access.needed("mezzo", "peek")).isEqualTo(Access.VIEW);
    assertThat(access.needed("mezzo", "turn")).isEqualTo(Access.OPERATE);
    assertThat(access.needed("mezzo", "break")).isEqualTo(Access.ADMINISTER);
  }

  @Test
  void whatNobodySaysAnythingOfNeedsAll() {
    assertThat(access(offer(Map.of())).needed("mezzo", "look")).isEqualTo(Access.ADMINISTER);
    assertThat(access().needed("mezzo", "look")).isEqualTo(Access.ADMINISTER);
    assertThat(access().needed("felix", "refresh")).isEqualTo(Access.ADMINISTER);
    assertThat(access().needed("felix", "lb")).isEqualTo(Access.VIEW);
  }

  @Test
  void ofSeveralWhoOfferItTheMostDemandingCounts() {
    ServiceReference<?> open = offer(Map.of("mezzo.command.view", "look"));
    ServiceReference<?> closed = offer(Map.of("mezzo.command.operate", "look"));
    assertThat(access(open, closed).needed("mezzo", "look")).isEqualTo(Access.OPERATE);
    assertThat(access(closed, open).needed("mezzo", "look")).isEqualTo(Access.OPERATE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ModuleCommands", "SelectionCommands"})
  void everyCommandSaysOnceWhatItNeeds(String component) throws Exception {
    List<String> functions = new ArrayList<>();
    List<String> said = new ArrayList<>();
    try (InputStream descriptor =
        Access.class.getResourceAsStream(
            "/OSGI-INF/org.mezzo.shell.commands." + component + ".xml")) {
      NodeList properties =
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(descriptor)
              .getElementsByTagName("property");
      for (int i = 0; i < properties.getLength(); i++) {
        Element property = (Element) properties.item(i);
        String value = property.getAttribute("value") + property.getTextContent();
        if (property.getAttribute("name").equals("osgi.command.function")) {
          functions.addAll(Arrays.asList(value.split("\\s+")));
        } else if (property.getAttribute("name").startsWith("mezzo.command.")) {
          said.addAll(Arrays.asList(value.split("\\s+")));
        }
      }
    }
    assertThat(functions).isNotEmpty();
    assertThat(said).containsExactlyInAnyOrderElementsOf(functions);
  }
}
