package {{package}};

import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.logger.LogPlan;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Keeps the output of containers small: files of at most the parameter {@code bytes} each. Those of
 * which a task's environment says {@code KEEP_LOGS=true} have nine older ones, others one.
 */
@Component(service = ContainerLogger.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = ContainerLogger.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "keeps the output of containers small")
public final class {{class}} implements ContainerLogger {
  private LogPlan few;
  private LogPlan many;

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().getOrDefault("bytes", "10000000");
    long bytes;
    try {
      bytes = Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "the parameter 'bytes': '" + text + "' is no number of bytes; give one as 10000000", e);
    }
    few = rotated(bytes, 1);
    many = rotated(bytes, 9);
  }

  private static LogPlan rotated(long bytes, int older) {
    LogPlan.Rotation rotation = new LogPlan.Rotation(bytes, older);
    return LogPlan.rotated(rotation, rotation);
  }

  /** Says what the container's shim is to do; no output comes by here. */
  @Override
  public LogPlan prepare(Container container, Map<String, String> environment) {
    return "true".equals(environment.get("KEEP_LOGS")) ? many : few;
  }
}
