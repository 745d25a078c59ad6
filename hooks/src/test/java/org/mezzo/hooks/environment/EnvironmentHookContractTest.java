package org.mezzo.hooks.environment;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HookContract;

class EnvironmentHookContractTest extends HookContract {
  @Override
  protected Hook module() {
    return new EnvironmentHook();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("variable.A", "a", "override", "true"));
  }
}
