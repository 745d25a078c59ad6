/** The JSON form of the protocol's messages, encoded and decoded as a stream. */
@org.osgi.annotation.bundle.Export
@org.osgi.annotation.versioning.Version("0.1.0")
package org.mezzo.protocol.json;
