package {{package}};

import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Lends a share of the agent's processors, whoever has them: the parameter {@code percent}. What is
 * lent already and in use is not lent a second time.
 */
@Component(service = ResourceEstimator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = ResourceEstimator.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "lends a share of the agent's processors")
public final class {{class}} implements ResourceEstimator {
  private int percent;

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().getOrDefault("percent", "25");
    if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) > 100) {
      throw new IllegalArgumentException(
          "the parameter 'percent': '" + text + "' is no number from 0 to 100");
    }
    percent = Integer.parseInt(text);
  }

  @Override
  public Resources oversubscribable(ResourceUsage usage) throws Exception {
    // Amounts of Resources are in thousandths.
    long lent = 0;
    for (ResourceUsage.Executor executor : usage.getExecutorsList()) {
      lent += Resources.of(executor.getAllocatedList()).revocable().scalar("cpus");
    }
    long share = Resources.of(usage.getTotalList()).nonRevocable().scalar("cpus") * percent / 100;
    return share <= lent
        ? Resources.EMPTY
        : Resources.of(Resource.scalar("cpus", (share - lent) / 1000.0));
  }
}
