package org.mezzo.agent;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.deployment.Deployments;

/** Has installed nothing, and installs nothing. */
final class NoDeployments {
  private NoDeployments() {}

  static Deployments make() {
    return (Deployments)
        Proxy.newProxyInstance(
            Deployments.class.getClassLoader(),
            new Class<?>[] {Deployments.class},
            (proxy, method, arguments) -> {
              if (method.getReturnType() == List.class) {
                return List.of();
              }
              if (method.getReturnType() == Map.class) {
                return Map.of();
              }
              if (method.getReturnType() == Optional.class) {
                return Optional.empty();
              }
              throw new UnsupportedOperationException(method.getName());
            });
  }
}
