/** Stand-ins for what a daemon gives to modules, for tests of modules. */
package org.mezzo.api.testing;
