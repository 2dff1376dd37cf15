// The fast kernels and the thread pool. A kernel computes one task of a step: it allocates nothing, starts no threads,
// and touches only what its arguments point at and the scratch it is given. Tasks of a step are independent of each
// other, and an output's arithmetic never depends on how the work is cut.
//
// Layouts. "Plain" is row-major. "Blocked" holds the channels in blocks of 8: [batch][ceil(C / 8)][height][width][8];
// lanes beyond the last channel hold numbers that nobody reads, finite where the inputs are.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "InferenceKernels.h"
#include "TrainingKernels.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

/// One task of a step; `arguments` points at the struct that the kernel takes.
typedef void (*NNKernel)(const void *_Nonnull arguments, NNInt task, float *_Nullable scratch);

/// The kernels for one instruction set.
typedef struct NNKernels {
  const char *_Nonnull name;
  NNKernel _Nonnull convolution;
  NNKernel _Nonnull convolutionOnce;  // NNPack: direct, the weights packed as they are used
  NNKernel _Nonnull depthwise;
  NNKernel _Nonnull dense;
  NNKernel _Nonnull denseOnce;  // a task a panel; scratch: inner * 16
  NNKernel _Nonnull pooling;
  NNKernel _Nonnull spatialMean;
  NNKernel _Nonnull elementwise;
  NNKernel _Nonnull affine;
  NNKernel _Nonnull softmax;
  NNKernel _Nonnull channelCopy;
  NNKernel _Nonnull block;    // plain to blocked
  NNKernel _Nonnull unblock;  // blocked to plain
  NNKernel _Nonnull pack;       // a task a panel
  NNKernel _Nonnull packDepthwise;  // NNPack: input, output, filters, filterStride (positions), reversed
  NNKernel _Nonnull packDense;  // a task a panel
  NNKernel _Nonnull transpose;
  NNKernel _Nonnull filterGradient;
  NNKernel _Nonnull depthwiseGradient;  // NNFilterGradient; a task a block of channels of a piece
  NNKernel _Nonnull combine;
  NNKernel _Nonnull combineDoubles;
  NNKernel _Nonnull moments;            // a task a block of channels of a piece
  NNKernel _Nonnull gradientMoments;    // likewise
  NNKernel _Nonnull momentsToScale;     // NNNormalization; a task a block of channels
  NNKernel _Nonnull momentsToGradient;  // likewise
  NNKernel _Nonnull normalize;
  NNKernel _Nonnull normalizeGradient;  // NNNormalize
  NNKernel _Nonnull spread;             // a task a plane
  NNKernel _Nonnull maximumGradient;    // a task a plane: NNMaximumGradient
  NNKernel _Nonnull spatialMeanGradient;  // NNSpatialMean, the other way
  NNKernel _Nonnull columnSum;  // a task a piece
  NNKernel _Nonnull product;
  NNKernel _Nonnull loss;  // a task a piece
  NNKernel _Nonnull metric;
  NNKernel _Nonnull track;
  NNKernel _Nonnull squares;
  NNKernel _Nonnull squaresToFactor;
  NNKernel _Nonnull update;
  NNKernel _Nonnull perceptron;
  /// Steps of a perceptron (with a metric perhaps) and its update, as `nnPoolRepeat` repeats them.
  NNInt (*_Nonnull perceptronSteps)(
    const NNPerceptron *_Nonnull, const NNMetric *_Nullable, NNUpdate *_Nonnull, const NNLoop *_Nonnull, NNInt times);
  /// 12 * 16 * iterations multiply-adds in registers: the processor's peak, for benchmarks.
  float (*_Nonnull peak)(NNInt iterations);
  NNInt peakFlopsPerIteration;
} NNKernels;

/// The kernels for this processor, or those that the environment variable NNRUN_ISA names.
const NNKernels *_Nonnull nnKernels(void);
/// The kernels for a named instruction set, or null when the processor lacks it.
const NNKernels *_Nullable nnKernelsNamed(const char *_Nonnull name);

/// The number of tasks of a step.
NNInt nnConvolutionTasks(const NNConvolution *_Nonnull arguments);
NNInt nnDepthwiseTasks(const NNDepthwise *_Nonnull arguments);
NNInt nnDenseTasks(const NNDense *_Nonnull arguments);
NNInt nnPackTasks(const NNConvolution *_Nonnull shape);
NNInt nnFilterGradientTasks(const NNFilterGradient *_Nonnull arguments);
/// Whether it goes by Winograd's form.
int nnFilterGradientByTiles(const NNFilterGradient *_Nonnull arguments);

/// The floats of scratch that a task needs.
NNInt nnConvolutionScratch(const NNConvolution *_Nonnull arguments);
NNInt nnConvolutionOnceScratch(const NNPack *_Nonnull arguments);
NNInt nnDepthwiseScratch(const NNDepthwise *_Nonnull arguments);
NNInt nnFilterGradientScratch(const NNFilterGradient *_Nonnull arguments);
NNInt nnProductTasks(const NNProduct *_Nonnull arguments);
NNInt nnProductScratch(void);

/// The floats of packed weights.
NNInt nnConvolutionWeights(const NNConvolution *_Nonnull arguments);
NNInt nnDenseWeights(NNInt inner, NNInt columns);

/// One step of a plan.
typedef struct NNStep {
  NNKernel _Nullable kernel;
  const void *_Nullable arguments;
  NNInt tasks;
  NNInt together;  // whether the tasks are worth spreading over threads
} NNStep;

/// Threads that take part in regions of work.
typedef struct NNPool NNPool;

/// A pool of `threads` threads, the caller of `nnPoolRun` among them; null when threads or memory are short.
NNPool *_Nullable nnPoolCreate(NNInt threads);
/// Ends the pool's threads. Nobody may be running on it.
void nnPoolDestroy(NNPool *_Nonnull pool);
/// Runs the steps in order, each step's tasks spread over the pool's threads; thread t has the scratch at
/// scratch + t * scratchStride. One caller at a time. A null pool runs everything on the caller.
void nnPoolRun(
  NNPool *_Nullable pool, const NNStep *_Nonnull steps, NNInt count, float *_Nullable scratch, NNInt scratchStride);

/// Runs the steps `times` times, or until a run's loss or a parameter is not finite. Returns the number of runs.
NNInt nnPoolRepeat(
  NNPool *_Nullable pool, const NNStep *_Nonnull steps, NNInt count, float *_Nullable scratch, NNInt scratchStride,
  const NNLoop *_Nonnull loop, NNInt times);

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif
