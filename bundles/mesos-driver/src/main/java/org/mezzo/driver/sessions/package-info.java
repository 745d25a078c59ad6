/** A framework's subscription to whichever master leads, and the calls that go with it. */
package org.mezzo.driver.sessions;
