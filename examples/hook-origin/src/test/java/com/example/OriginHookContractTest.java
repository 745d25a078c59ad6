package com.example;

import org.mezzo.api.hook.Hook;
import org.mezzo.testing.contract.HookContract;

class OriginHookContractTest extends HookContract {
  @Override
  protected Hook module() {
    return new OriginHook();
  }
}
