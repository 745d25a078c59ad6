package com.example;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPInterface;
import com.unboundid.ldif.LDIFException;

/** Two people, for any directory that has the suffix. */
final class People {
  static final String SUFFIX = "dc=example,dc=org";
  static final String BASE = "ou=people," + SUFFIX;

  private People() {}

  /** A directory in this process with both of them. */
  static InMemoryDirectoryServer directory() throws LDAPException, LDIFException {
    InMemoryDirectoryServer directory =
        new InMemoryDirectoryServer(new InMemoryDirectoryServerConfig(SUFFIX));
    addTo(directory);
    return directory;
  }

  static void addTo(LDAPInterface directory) throws LDAPException, LDIFException {
    directory.add(
        "dn: " + SUFFIX,
        "objectClass: dcObject",
        "objectClass: organization",
        "dc: example",
        "o: example");
    directory.add("dn: " + BASE, "objectClass: organizationalUnit", "ou: people");
    add(directory, "anna", "s3cret-1");
    add(directory, "bert", "s3:cret-2");
  }

  private static void add(LDAPInterface directory, String name, String password)
      throws LDAPException, LDIFException {
    directory.add(
        "dn: uid=" + name + "," + BASE,
        "objectClass: inetOrgPerson",
        "uid: " + name,
        "cn: " + name,
        "sn: " + name,
        "userPassword: " + password);
  }
}
