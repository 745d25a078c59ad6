package org.mezzo.itests.swap;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.itests.osgi.BuildFolders;
import org.mezzo.itests.swap.modules.KnowingAuthenticator;
import org.mezzo.testing.bundles.ModuleBundle;

/** Two authenticators by different names. Apart from the test, as it runs outside the framework. */
final class SelectionBundles {
  static final List<String> NAMES = List.of("one", "two");

  private SelectionBundles() {}

  static String bundle(String name) {
    return "org.mezzo.itests.selection." + name;
  }

  static Path jar(Path folder, String name) {
    return folder.resolve(name + ".jar");
  }

  static Path build() throws IOException {
    Path folder = BuildFolders.create("selection");
    for (String name : NAMES) {
      ModuleBundle.of(bundle(name), "1.0.0")
          .header("Import-Package", "org.mezzo.api,org.mezzo.api.authentication")
          .module(KnowingAuthenticator.class, HttpAuthenticator.class, HttpAuthenticator.KIND, name)
          .build(jar(folder, name));
    }
    return BuildFolders.goneAtExit(folder);
  }
}
