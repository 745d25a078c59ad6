/** What operators may ask about offers. */
package org.mezzo.master.offers;
