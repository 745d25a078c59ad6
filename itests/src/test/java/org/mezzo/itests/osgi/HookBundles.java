package org.mezzo.itests.osgi;

import java.io.IOException;
import java.nio.file.Path;
import org.mezzo.api.hook.Hook;
import org.mezzo.itests.hooks.GoodHook;
import org.mezzo.itests.hooks.HangingHook;
import org.mezzo.itests.hooks.RefusingHook;
import org.mezzo.itests.hooks.ThrowingHook;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * Versions, good and bad, of a bundle with one hook. Apart from the test, because the builder of
 * bundles is not known inside the framework.
 */
final class HookBundles {
  static final String NAME = "org.mezzo.itests.hook";

  private HookBundles() {}

  /** Builds them into a new folder. */
  static Path build() throws IOException {
    Path folder = BuildFolders.create("hooks");
    for (int i = 0; i < 20; i++) {
      hook("1." + i + ".0", GoodHook.class).build(folder.resolve("good-" + i + ".jar"));
    }
    hook("2.0.0", ThrowingHook.class).build(folder.resolve("throwing.jar"));
    hook("2.1.0", HangingHook.class).build(folder.resolve("hanging.jar"));
    hook("2.2.0", RefusingHook.class).build(folder.resolve("refusing.jar"));
    hook("2.3.0", GoodHook.class)
        .header("Import-Package", "org.mezzo.api.hook,org.mezzo.protocol.v1,org.nowhere")
        .build(folder.resolve("unresolvable.jar"));
    ModuleBundle.of(NAME, "2.4.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1")
        .module(
            GoodHook.class,
            Hook.class,
            Hook.KIND,
            "itest",
            "<reference name=\"missing\" interface=\"org.nowhere.Service\"/>")
        .build(folder.resolve("unsatisfied.jar"));
    ModuleBundle.of(NAME, "2.5.0")
        .header("Import-Package", "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1")
        .header("Bundle-Activator", "org.nowhere.Activator")
        .module(GoodHook.class, Hook.class, Hook.KIND, "itest")
        .build(folder.resolve("activator.jar"));
    return BuildFolders.goneAtExit(folder);
  }

  private static ModuleBundle hook(String version, Class<? extends Hook> type) throws IOException {
    return ModuleBundle.of(NAME, version)
        .header("Import-Package", "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1")
        .module(type, Hook.class, Hook.KIND, "itest");
  }
}
