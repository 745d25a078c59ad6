package org.mezzo.hooks.audit;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HookContract;

class AuditHookContractTest extends HookContract {
  @Override
  protected Hook module() {
    return new AuditHook();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("max_size", "10KB"));
  }
}
