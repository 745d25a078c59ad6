package org.mezzo.deployment.bundles;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.osgi.framework.Bundle;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

/** What the components of bundles say about themselves. */
final class DeclaredModules {
  private final ServiceComponentRuntime components;

  DeclaredModules(ServiceComponentRuntime components) {
    this.components = components;
  }

  /** The modules that the bundle's components declare and that need no configuration. */
  Set<String> of(Bundle bundle) {
    Set<String> declared = new HashSet<>();
    for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs(bundle)) {
      Object kind = component.properties.get("mezzo.module.kind");
      Object name = component.properties.get("mezzo.module.name");
      if (kind != null
          && name != null
          && component.defaultEnabled
          && !component.configurationPolicy.equals("require")) {
        declared.add(kind + " " + name);
      }
    }
    return declared;
  }

  /** Why components are not satisfied, in brackets; empty when all are. */
  String unsatisfied(Bundle bundle) {
    List<String> reasons = new ArrayList<>();
    for (ComponentDescriptionDTO component : components.getComponentDescriptionDTOs(bundle)) {
      for (ComponentConfigurationDTO configuration :
          components.getComponentConfigurationDTOs(component)) {
        for (UnsatisfiedReferenceDTO reference : configuration.unsatisfiedReferences) {
          reasons.add(component.name + " waits for the service of its reference " + reference.name);
        }
        if (configuration.failure != null) {
          reasons.add(
              component.name + " failed: " + configuration.failure.lines().findFirst().get());
        }
      }
    }
    return reasons.isEmpty() ? "" : " (" + String.join("; ", reasons) + ")";
  }
}
