package org.mezzo.modules;

/** Told, on the events executor of the lease, who holds it. */
public interface LeaseListener {

  /**
   * A module instance holds the lease from now on; it was opened. Calls with this epoch reach it.
   *
   * @param epoch grows with each holder of this lease, from 1
   */
  void acquired(long epoch, ModuleDescription module);

  /**
   * The holder of that epoch is gone; its replies will not come any more. Where calls end beside
   * the successor, this is told when the last one has, after the successor's {@link #acquired}.
   */
  void lost(long epoch, ModuleDescription module, String reason);

  /** A listener that wants to know only that there is a holder. */
  static LeaseListener acquired(Runnable action) {
    return new LeaseListener() {
      @Override
      public void acquired(long epoch, ModuleDescription module) {
        action.run();
      }

      @Override
      public void lost(long epoch, ModuleDescription module, String reason) {}
    };
  }

  /** A listener that does not care. */
  LeaseListener NONE =
      new LeaseListener() {
        @Override
        public void acquired(long epoch, ModuleDescription module) {}

        @Override
        public void lost(long epoch, ModuleDescription module, String reason) {}
      };
}
