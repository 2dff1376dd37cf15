/* nnrun.h: neural networks written as plain YAML, run from C.
 *
 *   nnrun_model *model = nnrun_load("digits.yaml", 0);
 *   if (!model) { fprintf(stderr, "%s\n", nnrun_last_error()); return 1; }
 *   const float *inputs[] = {images};
 *   float *outputs[] = {scores};
 *   int status = nnrun_run(model, 32, inputs, outputs);
 *   nnrun_free(model);
 *
 * Numbers are float32 in row-major order, whatever the model computes in.
 *
 * Errors. A function that can fail returns NULL, -1 or a status other than NNRUN_OK, and leaves the status and a message
 * for the calling thread: nnrun_last_status and nnrun_last_error. A function that succeeds leaves them alone.
 *
 * Threads. Any thread may call any function at any time, but for nnrun_free, which must be the last call with its
 * model. Calls with one model wait for one another; to run at once in several threads, load the model in each.
 *
 * Strings are UTF-8 and belong to the library: those of a model live as long as it does.
 *
 * The interface only grows: a program built against one version runs with every later one of the same NNRUN_ABI.
 */
#ifndef NNRUN_H
#define NNRUN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface, the number in the shared library's name. */
#define NNRUN_ABI 0

/* What went wrong; the numbers are the exit statuses of the nnrun program. */
enum {
  NNRUN_OK = 0,
  NNRUN_USAGE = 64,         /* an argument makes no sense */
  NNRUN_INVALID_DATA = 65,  /* the model is not valid, or does not suit the sizes asked for */
  NNRUN_CANNOT_READ = 66,   /* a file is missing or cannot be read */
  NNRUN_INPUT_OUTPUT = 74,  /* reading failed on the way */
};

/* A model that was loaded. */
typedef struct nnrun_model nnrun_model;

/* The version of the library: "0.1.0". */
const char *nnrun_version(void);

/* What the last function that failed in this thread ended with; NNRUN_OK where none has. */
int nnrun_last_status(void);

/* What it has to say: all that is wrong in a model file, each with its line. Empty where nothing has failed. The text
 * stands until the next function fails in this thread. */
const char *nnrun_last_error(void);

/* Loads the model file at `path` with its weights. `threads` is the number of threads that a run uses, 1 to 1024, or 0
 * for one for each core. NULL where the file is missing or not valid. */
nnrun_model *nnrun_load(const char *path, int threads);

/* Frees a model; NULL is allowed. */
void nnrun_free(nnrun_model *model);

/* The number of inputs, and of outputs; -1 where `model` is NULL. */
int64_t nnrun_input_count(const nnrun_model *model);
int64_t nnrun_output_count(const nnrun_model *model);

/* The name of the input, or output, with this index, from 0; NULL where there is none. */
const char *nnrun_input_name(const nnrun_model *model, int64_t index);
const char *nnrun_output_name(const nnrun_model *model, int64_t index);

/* Gives a size to a symbol of the model's shapes other than the batch's, such as "H" in [N, 3, H, W]. It is kept until
 * it is given another. */
int nnrun_set_size(nnrun_model *model, const char *symbol, int64_t size);

/* The shape of an input, or output, for a batch of so many rows: writes the first `capacity` lengths to `shape` and
 * returns how many there are; -1 where the index is out of range. A length that depends on a symbol without a size is
 * written as -1. */
int64_t nnrun_input_shape(
    const nnrun_model *model, int64_t index, int64_t batch_size, int64_t *shape, int64_t capacity);
int64_t nnrun_output_shape(
    const nnrun_model *model, int64_t index, int64_t batch_size, int64_t *shape, int64_t capacity);

/* Runs the model on `batch_size` rows: `inputs` holds a pointer to the numbers of each input, in the model's order, and
 * `outputs` one to room for those of each output, as many as their shapes say. A batch size is prepared for when it is
 * first used, which takes a while; the last four stay prepared. A model without a batch's axis takes batch size 1. */
int nnrun_run(nnrun_model *model, int64_t batch_size, const float *const *inputs, float *const *outputs);

#ifdef __cplusplus
}
#endif

#endif
