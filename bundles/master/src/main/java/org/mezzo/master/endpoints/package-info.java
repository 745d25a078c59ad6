/**
 * The JSON endpoints of the master, a class each, in the shapes of sections 1 to 7 of the state
 * JSON; {@link org.mezzo.master.endpoints.MasterEndpoints} adds them and the APIs to the router.
 */
package org.mezzo.master.endpoints;
