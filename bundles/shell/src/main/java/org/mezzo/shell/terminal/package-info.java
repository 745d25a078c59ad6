/** Where a shell is reached: the terminal of the process and SSH on loopback. */
package org.mezzo.shell.terminal;
