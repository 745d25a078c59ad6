/** Master detectors: the one master of a flag, and the leader that ZooKeeper knows. */
package org.mezzo.detectors;
