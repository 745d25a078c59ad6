package org.mezzo.shell.terminal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Where a shell can be reached; by default nowhere. */
@ObjectClassDefinition(name = "Mezzo shell", description = "The Gogo shell of this process.")
public @interface Settings {

  @AttributeDefinition(name = "Console", description = "On the terminal of the process.")
  boolean console() default false;

  @AttributeDefinition(
      name = "SSH port",
      description = "On loopback only; 0 takes a free one, -1 means no SSH.")
  int sshPort() default -1;

  @AttributeDefinition(
      name = "Authorized keys",
      description =
          "A file with public keys as OpenSSH writes them, with role=\"view\", \"operate\" or"
              + " \"administer\" in front.")
  String authorizedKeys() default "";

  @AttributeDefinition(
      name = "Default role",
      description = "What holders of keys without a role may do: view, operate or administer.")
  String defaultRole() default "view";

  @AttributeDefinition(
      name = "Host key",
      description =
          "The file with the server's private key, made when missing; beside the authorized keys"
              + " by default.")
  String hostKey() default "";

  @AttributeDefinition(
      name = "Bundle commands",
      description =
          "Whether Felix's commands that change bundles can be used; deployment knows nothing of"
              + " what they do.")
  boolean bundleCommands() default false;
}
