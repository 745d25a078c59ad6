#ifndef MEZZO_CHECK_H
#define MEZZO_CHECK_H

#include <stdio.h>
#include <stdlib.h>

/* Ends the test with where and what, if it is not so. */
#define CHECK(what) \
  do { \
    if (!(what)) { \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
      exit(1); \
    } \
  } while (0)

#endif
