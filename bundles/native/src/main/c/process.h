/* What is asked of the kernel about processes. */
#ifndef MEZZO_PROCESS_H
#define MEZZO_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Field 22 of /proc/PID/stat; 0 when there is no such process. */
uint64_t start_time(pid_t pid);

/*
 * A fork. With a descriptor of a cgroup of version 2 the child begins in it where the kernel can do
 * that, and *in_cgroup says whether it does. A kernel or a filter that does not let clone3 through,
 * whatever error it gives, costs a fork and nothing else.
 */
pid_t spawn_process(int cgroup, bool *in_cgroup);

/* Sends a signal to every child of a process but some; how many there were. */
int signal_children(pid_t parent, int signal, bool (*spared)(pid_t pid));

/* Kills all that is in the cgroup of a cgroup.procs file. */
void kill_cgroup(const char *procs);

/* Writes a whole file that is there and belongs to the kernel; 0, or an errno. */
int write_file(const char *path, const char *text);

/* Opens the folder of a cgroup.procs file if that is a cgroup of version 2; else -1. */
int open_unified(const char *procs);

/* Goes into the network namespace of a process of that start; 0, or an errno. */
int enter_network(pid_t pid, uint64_t start);

/* The same with its mount namespace; *fixed is whether its programs gain no rights (no_new_privs). */
int enter_mounts(pid_t pid, uint64_t start, bool *fixed);

/* Closes all descriptors from one on. */
void close_from(int first);

/* Binds a listening socket to a name in a folder, however long its path; -1 with errno. */
int listen_in(int folder, const char *name);
int connect_in(int folder, const char *name);

/* The name by which ps knows this process. */
void rename_process(const char *name);

#endif
