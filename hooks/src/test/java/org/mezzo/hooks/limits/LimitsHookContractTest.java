package org.mezzo.hooks.limits;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HookContract;

class LimitsHookContractTest extends HookContract {
  @Override
  protected Hook module() {
    return new LimitsHook();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("max", "cpus:1;mem:100", "default", "disk:10"));
  }
}
