// What the programs' parts share: odd sizes, operands that end where they should, and what is asked of results.
#ifndef CHECKS_H
#define CHECKS_H

#include <stddef.h>

#include "CKernels.h"

// A number from low to high, the same ones in every run.
NNInt pick(NNInt low, NNInt high);
// The pieces of a batch of which `here` rows are here: all of it, or a half.
NNPieces pickPieces(NNInt here);
// The blocks of 8 channels that hold `channels`.
NNInt blocks(NNInt channels);
// How many bundles the groups are merged into, so that the channels of each fill blocks of 8, or 1.
NNInt bundles(NNInt groups, NNInt channels, NNInt filters);
// Memory with nothing behind it, on a cache line's boundary.
void *bytes(NNInt count);
// Floats from -2 to 2.
float *floats(NNInt count);
// A vector with an element for each channel and zeros to the end of its last panel.
float *vector(NNInt channels);
// All tasks of a kernel, each with the same scratch.
void run(NNKernel kernel, const void *arguments, NNInt tasks, NNInt scratch);
// Ends the program where a number is not finite.
void check(const char *name, const float *output, NNInt count);
// What trains: gradients, statistics of batches, losses, metrics and updates.
void training(const NNKernels *kernels);

#endif
