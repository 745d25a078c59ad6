/**
 * What drivers of schedulers say to masters: calls of the v1 scheduler API, put together by field.
 */
package org.mezzo.driver.schedulers;
