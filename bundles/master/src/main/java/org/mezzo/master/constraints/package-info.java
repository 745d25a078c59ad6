/** What frameworks demand of agents before they want offers of them: compiled, bounded, applied. */
package org.mezzo.master.constraints;
