/** Secret resolvers, and the secret generator, that come with Mezzo. */
package org.mezzo.secrets;
