/** RecordIO, the framing of every stream of messages. */
@org.osgi.annotation.bundle.Export
@org.osgi.annotation.versioning.Version("0.1.0")
package org.mezzo.protocol.recordio;
