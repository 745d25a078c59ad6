package org.mezzo.itests.hooks;

import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says something by its own logger whenever it is asked how it is. Goes into test bundles. */
public final class TalkingHook implements Hook {
  private volatile Logger log;

  @Override
  public void open(DaemonContext context) {
    log = LoggerFactory.getLogger(context.loggerName());
  }

  @Override
  public Optional<String> health() {
    log.debug("I am well, thank you");
    return Optional.empty();
  }
}
