package org.mezzo.detectors;

import java.util.Map;
import java.util.Optional;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.MasterDetectorContract;

class StandaloneDetectorContractTest extends MasterDetectorContract {
  @Override
  protected MasterDetector module() {
    return new StandaloneDetector();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withFlags(Map.of("master", "master.example.com:6000"));
  }

  @Override
  protected Optional<String> leader() {
    return Optional.of("master.example.com:6000");
  }
}
