package org.mezzo.itests.osgi;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.util.ArrayList;
import java.util.List;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.itests.container.HostContainer;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

/** Everything the distribution ships, the shell included, fits together. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class WiringIT {
  @Inject private BundleContext context;
  @Inject private ServiceComponentRuntime components;
  @Inject private Deployments deployments;

  @Configuration
  public Option[] configuration() throws Exception {
    return options(
        junitBundles(),
        frameworkProperty(HostContainer.LEVEL).value("30"),
        frameworkProperty(HostContainer.MODULES).value(ShippedModules.copy().toString()));
  }

  @Test
  public void everyBundleIsActive() {
    List<String> lame = new ArrayList<>();
    for (Bundle bundle : context.getBundles()) {
      if (bundle.getState() != Bundle.ACTIVE && bundle.getHeaders().get("Fragment-Host") == null) {
        lame.add(bundle.getSymbolicName() + " " + bundle.getVersion());
      }
    }
    assertEquals(List.of(), lame);
  }

  @Test
  public void everyShippedModuleBundleIsDeployed() {
    assertTrue(deployments.list().size() >= 6);
    for (Deployment deployment : deployments.list()) {
      assertEquals(deployment.toString(), "active", deployment.state());
      assertTrue(deployment.toString(), deployment.modules().size() > 0);
    }
  }

  @Test
  public void noComponentWaitsForAnother() {
    List<String> waiting = new ArrayList<>();
    for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs()) {
      for (ComponentConfigurationDTO configuration :
          components.getComponentConfigurationDTOs(component)) {
        for (UnsatisfiedReferenceDTO reference : configuration.unsatisfiedReferences) {
          waiting.add(component.name + " waits for " + reference.name + " " + reference.target);
        }
        if (configuration.failure != null) {
          waiting.add(component.name + " failed: " + configuration.failure);
        }
      }
    }
    assertEquals(List.of(), waiting);
  }
}
