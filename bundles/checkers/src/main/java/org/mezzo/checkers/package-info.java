/**
 * The checkers that come with Mezzo: HTTP and TCP, many looks at a time on one thread of each,
 * every one a connection without a thread or a process of its own.
 */
package org.mezzo.checkers;
