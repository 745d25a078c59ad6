/* One process per agent that makes shims and outlives the agent. */
#ifndef MEZZO_SPAWNER_H
#define MEZZO_SPAWNER_H

/*
 * runtime: the agent's runtime directory
 * linger: after so many seconds without an agent and without a container it ends
 *
 * Prints "ready" when the socket is there. Comes back with the status to exit with.
 */
int spawner_run(const char *runtime, int linger);

/* Sees a shim through the life of a container; 0 when all went well, else says what did not. */
int spawner_self_test(void);

#endif
