package {{package}};

import org.mezzo.api.MezzoModule;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** Labels every task with the framework and the machine it comes from and goes to. */
@Component(service = Hook.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Hook.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "labels tasks with where they come from")
public final class {{class}} implements Hook {

  @Override
  public Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    String origin = framework.getName() + "@" + agent.getHostname();
    return task.getLabels().toBuilder()
        .addLabels(Label.newBuilder().setKey("{{name}}").setValue(origin))
        .build();
  }
}
