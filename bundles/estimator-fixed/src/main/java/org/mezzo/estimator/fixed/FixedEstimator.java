package org.mezzo.estimator.fixed;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.ResourceKind;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Lends as much as it was told to, whatever happens on the machine: the module parameter {@code
 * resources}, for example {@code cpus:4;mem:2048}, or the JSON form. What is in use of it is not
 * lent a second time.
 */
@Component(service = ResourceEstimator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = ResourceEstimator.KIND,
    name = "fixed",
    version = "0.1.0",
    author = "Mezzo",
    description = "lends a fixed amount of revocable resources")
public final class FixedEstimator implements ResourceEstimator {
  static final String PARAMETER = "resources";

  private Resources total = Resources.EMPTY;

  /**
   * Takes the amount.
   *
   * @throws IllegalArgumentException when it is missing, or nothing that can be lent
   */
  @Override
  public void open(DaemonContext context) {
    for (Map.Entry<String, String> parameter : context.parameters().entrySet()) {
      if (!parameter.getKey().equals(PARAMETER)) {
        throw new IllegalArgumentException(
            "there is no parameter '" + parameter.getKey() + "'; there is '" + PARAMETER + "'");
      }
    }
    String text = context.parameters().get(PARAMETER);
    if (text == null) {
      throw new IllegalArgumentException(
          "the parameter '" + PARAMETER + "' is missing: give what is to be lent, as cpus:4");
    }
    try {
      total = Resources.parse(text, "*");
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException("the parameter '" + PARAMETER + "': " + e.getMessage(), e);
    }
    for (Resource entry : total) {
      if (entry.type() != ResourceKind.Type.SCALAR || entry.reservationRole().isPresent()) {
        throw new IllegalArgumentException(
            "the parameter '"
                + PARAMETER
                + "': "
                + entry
                + " cannot be lent; give amounts without a role, as cpus:4");
      }
    }
  }

  @Override
  public Resources oversubscribable(ResourceUsage usage) throws Exception {
    List<Resource> left = new ArrayList<>();
    Resources used = Resources.EMPTY;
    for (ResourceUsage.Executor executor : usage.getExecutorsList()) {
      used = used.plus(Resources.of(executor.getAllocatedList()).revocable());
    }
    for (String name : total.names()) {
      long millis = total.scalar(name) - used.scalar(name);
      if (millis > 0) {
        left.add(Resource.scalar(name, millis / 1000.0));
      }
    }
    return Resources.of(left.toArray(new Resource[0]));
  }
}
