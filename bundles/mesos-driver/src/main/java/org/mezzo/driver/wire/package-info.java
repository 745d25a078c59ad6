/**
 * Messages of protocol buffers without protocol buffers: frameworks bring versions of their own, so
 * that none can be assumed.
 */
package org.mezzo.driver.wire;
