/** Which master leads, by whatever the framework was given as its master. */
package org.mezzo.driver.leaders;
