#include "last_error.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nnrun.h"

/* In C because Swift has no variables of a thread's own. */
static _Thread_local int last_status = NNRUN_OK;
static _Thread_local char *last_message;

/* Frees a thread's message when it ends. */
static pthread_key_t message_key;
static pthread_once_t message_once = PTHREAD_ONCE_INIT;

static void make_key(void) { pthread_key_create(&message_key, free); }

void nnrun_keep_error(int status, const char *message) {
  pthread_once(&message_once, make_key);
  char *copy = strdup(message);
  free(last_message);
  last_message = copy;
  pthread_setspecific(message_key, copy);
  last_status = status;
}

int nnrun_last_status(void) { return last_status; }

const char *nnrun_last_error(void) {
  if (last_status == NNRUN_OK) return "";
  return last_message ? last_message : "out of memory";
}
