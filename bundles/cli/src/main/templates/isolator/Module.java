package {{package}};

import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.List;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** Has containers live in the time zone of the parameter {@code zone}. */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "sets the time zone of containers")
public final class {{class}} implements Isolator {
  private String zone = "UTC";

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    zone = context.parameters().getOrDefault("zone", zone);
    try {
      ZoneId.of(zone);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          "the parameter 'zone': '" + zone + "' is no time zone; give one as Europe/Berlin", e);
    }
  }

  @Override
  public void recover(List<RecoveredContainer> containers) {
    // What runs has its time zone, and nothing has to be remembered of it.
  }

  /** Containers in containers get it as well. */
  @Override
  public boolean nests() {
    return true;
  }

  /** The launcher carries the plan out. */
  @Override
  public LaunchPlan prepare(Container container) {
    return LaunchPlan.builder().variable("TZ", zone).build();
  }

  @Override
  public void isolate(Container container, long pid) {
    // All is in the plan. Here the process is there, and waits to be let go.
  }

  @Override
  public void cleanup(Container container) {
    // Nothing was made for it.
  }
}
