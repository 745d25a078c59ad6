/** Secret resolvers that come with Mezzo. */
package org.mezzo.secrets;
