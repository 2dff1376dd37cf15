// What of MPI is used, as plain functions: its constants are macros, and its handles numbers in MPICH and pointers in
// OpenMPI, so that Swift would see another thing in each. Every function returns MPI's error number, 0 for none.
#ifndef NNRUN_CMPI_SHIM_H
#define NNRUN_CMPI_SHIM_H

#include <mpi.h>
#include <stddef.h>

/// A transfer that is under way.
typedef struct {
  MPI_Request handle;
} nnrun_mpi_transfer;

/// Joins the job; errors are returned from then on. `neighbours` is the number of ranks on this host.
static inline int nnrun_mpi_start(int *rank, int *size, int *neighbours) {
  int provided = 0;
  int error = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
  if (error) return error;
  if (provided < MPI_THREAD_SERIALIZED) return MPI_ERR_OTHER;
  MPI_Comm host = MPI_COMM_NULL;
  if ((error = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN))) return error;
  if ((error = MPI_Comm_rank(MPI_COMM_WORLD, rank))) return error;
  if ((error = MPI_Comm_size(MPI_COMM_WORLD, size))) return error;
  if ((error = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host))) return error;
  if ((error = MPI_Comm_size(host, neighbours))) return error;
  return MPI_Comm_free(&host);
}

static inline int nnrun_mpi_send(const void *bytes, int count, int rank, int tag, nnrun_mpi_transfer *transfer) {
  return MPI_Isend(bytes, count, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &transfer->handle);
}

static inline int nnrun_mpi_receive(void *bytes, int count, int rank, int tag, nnrun_mpi_transfer *transfer) {
  return MPI_Irecv(bytes, count, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &transfer->handle);
}

/// Whether a transfer is done; drives all that are under way.
static inline int nnrun_mpi_test(nnrun_mpi_transfer *transfer, int *done) {
  return MPI_Test(&transfer->handle, done, MPI_STATUS_IGNORE);
}

/// The host's name, `capacity` bytes at most with the zero at its end.
static inline int nnrun_mpi_host(char *name, int capacity) {
  char text[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  int error = MPI_Get_processor_name(text, &length);
  if (error) return error;
  if (length > capacity - 1) length = capacity - 1;
  for (int index = 0; index < length; index++) name[index] = text[index];
  name[length] = 0;
  return 0;
}

/// What an error number means, `capacity` bytes at most with the zero at its end.
static inline void nnrun_mpi_message(int error, char *message, int capacity) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(error, text, &length)) length = 0;
  if (length > capacity - 1) length = capacity - 1;
  for (int index = 0; index < length; index++) message[index] = text[index];
  message[length] = 0;
}

static inline int nnrun_mpi_finish(void) { return MPI_Finalize(); }

/// Ends all ranks' processes.
static inline void nnrun_mpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

#endif
