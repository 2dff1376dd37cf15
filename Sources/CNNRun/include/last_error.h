#ifndef NNRUN_LAST_ERROR_H
#define NNRUN_LAST_ERROR_H

/* Keeps a status and a copy of a message for the calling thread. */
void nnrun_keep_error(int status, const char *message);

#endif
