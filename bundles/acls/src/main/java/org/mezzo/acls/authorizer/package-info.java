/** The module that authorizes by access control lists. */
package org.mezzo.acls.authorizer;
