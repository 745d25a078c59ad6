package org.mezzo.hooks.labels;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HookContract;

class LabelsHookContractTest extends HookContract {
  @Override
  protected Hook module() {
    return new LabelsHook();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("label.rack", "r7"));
  }
}
