/* Connections that are made in the networks of tasks, for an agent that is in another one. */
#ifndef MEZZO_RELAY_H
#define MEZZO_RELAY_H

/*
 * Listens in a folder of the agent's, prints "ready", and ends with its input. Needs to be root, or
 * is told by the kernel that it may not enter, which it hands on.
 */
int relay_run(const char *folder);

#endif
