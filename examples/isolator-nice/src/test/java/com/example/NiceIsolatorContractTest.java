package com.example;

import org.mezzo.api.isolator.Isolator;
import org.mezzo.testing.contract.IsolatorContract;

class NiceIsolatorContractTest extends IsolatorContract {
  @Override
  protected Isolator module() {
    return new NiceIsolator();
  }
}
