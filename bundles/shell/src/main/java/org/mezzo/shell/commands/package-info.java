/** The commands of the scope {@code mezzo}. */
package org.mezzo.shell.commands;
