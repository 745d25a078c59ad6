/** What the documentation tells users to type, typed. */
package org.mezzo.itests.docs;
