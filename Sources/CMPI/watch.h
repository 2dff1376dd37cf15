// A process beside rank 0 that outlives it: a launcher kills every rank at once when one dies, so that rank 0 itself
// cannot say what became of the job.
#ifndef NNRUN_CMPI_WATCH_H
#define NNRUN_CMPI_WATCH_H

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/// A record is what to say if nothing follows it; it fits a pipe's atomic write. An empty one takes back the last.
enum { nnrun_watch_record = 2048 };

/// Starts the process, before any thread is, and returns the descriptor that records go to; -1 where there can be none.
static inline int nnrun_watch_start(void) {
  int ends[2];
  if (pipe(ends)) return -1;
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  pid_t child = fork();
  if (child != 0) {
    close(ends[0]);
    if (child > 0) return ends[1];
    close(ends[1]);
    return -1;
  }
  // Out of the reach of signals to the group, and without the launcher's descriptors, whose end it waits for.
  setsid();
  int reading = fcntl(ends[0], F_DUPFD, 3);
  for (int other = 0; other < 1024; other++) {
    if (other != reading && other != 2) close(other);
  }
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  char last[nnrun_watch_record] = {0}, record[nnrun_watch_record];
  size_t have = 0;
  for (;;) {
    ssize_t count = read(reading, record + have, sizeof record - have);
    if (count <= 0) break;
    have += (size_t)count;
    if (have < sizeof record) continue;
    memcpy(last, record, sizeof record);
    have = 0;
  }
  size_t length = strnlen(last, sizeof last);
  if (length && write(2, last, length) < 0) _exit(1);
  _exit(0);
}

#endif
