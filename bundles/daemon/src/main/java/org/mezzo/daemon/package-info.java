/**
 * What every daemon has: {@link org.mezzo.daemon.DaemonFrame} owns it, and a {@link
 * org.mezzo.daemon.Daemon} runs in it. The rooms: {@code border} (routes, authentication,
 * authorization), {@code calls} (v1 calls and event streams), {@code endpoints} (those that every
 * daemon serves), {@code loop} (event loop and workers), {@code metrics}, {@code files}, {@code
 * configuration} (flags with their types), {@code logging}, {@code json}.
 */
@Version("0.1.0")
@Export
package org.mezzo.daemon;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
