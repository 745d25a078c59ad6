package org.mezzo.http.jetty;

import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;

/**
 * Jetty finds header encoders and the ALPN implementation through the thread's context class
 * loader. In OSGi that one sees nothing; this bundle's own sees the provider files it carries.
 */
final class Providers {
  private Providers() {}

  private static volatile boolean loaded;

  /** Has the header encoders found; without them HTTP/2 headers are broken. */
  static void load() {
    if (!loaded) {
      withOwnLoader(
          () -> {
            try {
              return Class.forName(
                  "org.eclipse.jetty.http.PreEncodedHttpField",
                  true,
                  Providers.class.getClassLoader());
            } catch (ClassNotFoundException e) {
              throw new IllegalStateException("jetty-http is not on the class path", e);
            }
          });
      loaded = true;
    }
  }

  static ALPNServerConnectionFactory alpn(String defaultProtocol) {
    return withOwnLoader(
        () -> {
          var factory = new ALPNServerConnectionFactory();
          factory.setDefaultProtocol(defaultProtocol);
          return factory;
        });
  }

  private static <T> T withOwnLoader(java.util.function.Supplier<T> action) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(Providers.class.getClassLoader());
    try {
      return action.get();
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
