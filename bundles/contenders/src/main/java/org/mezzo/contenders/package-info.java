/** Master contenders: by an election in ZooKeeper, and without one. */
package org.mezzo.contenders;
