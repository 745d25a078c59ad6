package {{package}};

import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Ends what runs on lent resources, the largest first and one at a time, while all containers
 * together use more than the parameter {@code percent} of the agent's memory.
 */
@Component(service = QosController.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = QosController.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "ends what runs on lent resources when memory gets scarce")
public final class {{class}} implements QosController {
  private static final ToLongFunction<ResourceUsage.Executor> BYTES =
      executor -> executor.getStatistics().getMemRssBytes();

  private int percent;

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().getOrDefault("percent", "90");
    if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) > 100) {
      throw new IllegalArgumentException(
          "the parameter 'percent': '" + text + "' is no number from 0 to 100");
    }
    percent = Integer.parseInt(text);
  }

  @Override
  public List<QosCorrection> corrections(ResourceUsage usage) throws Exception {
    // Amounts of Resources are in thousandths, those of memory of MB.
    long megabytes = Resources.of(usage.getTotalList()).nonRevocable().scalar("mem") / 1000;
    long most = (megabytes << 20) / 100 * percent;
    long used = usage.getExecutorsList().stream().mapToLong(BYTES).sum();
    if (used <= most) {
      return List.of();
    }
    String why = "containers use " + (used >> 20) + " MB and may use " + (most >> 20) + " MB";
    return usage.getExecutorsList().stream()
        .filter(executor -> executor.getAllocatedList().stream().anyMatch(Resource::hasRevocable))
        .max(Comparator.comparingLong(BYTES))
        .map(executor -> List.of(QosCorrection.kill(executor, why)))
        .orElse(List.of());
  }
}
