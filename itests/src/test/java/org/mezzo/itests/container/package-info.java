/** Lets Pax Exam run tests inside the framework that the real host boots from the distribution. */
package org.mezzo.itests.container;
