/** Who leads, and everything that lives as long as this master does. */
package org.mezzo.master.election;
