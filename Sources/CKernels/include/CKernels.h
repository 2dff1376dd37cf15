// The fast kernels and the thread pool. A kernel computes one task of a step: it allocates nothing, starts no threads,
// and touches only what its arguments point at and the scratch it is given. Tasks of a step are independent of each
// other, and an output's arithmetic never depends on how the work is cut.
//
// Layouts. "Plain" is row-major. "Blocked" holds the channels in blocks of 8: [batch][ceil(C / 8)][height][width][8];
// lanes beyond the last channel hold numbers that nobody reads, finite where the inputs are.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

typedef ptrdiff_t NNInt;

/// How a convolution is computed.
typedef enum NNAlgorithm {
  NN_DIRECT = 0,
  NN_WINOGRAD_2 = 2,
  NN_WINOGRAD_4 = 4,
} NNAlgorithm;

/// A convolution from a blocked or plain input to a blocked output: output = activation(input * weights + bias + residual).
typedef struct NNConvolution {
  const float *input, *weights, *bias, *residual;  // bias: 8 a block; residual: as output, or null
  float *output;
  NNInt batch, groups;
  NNInt inputBlocks, outputBlocks;  // blocks of 8 channels in one group
  NNInt inputHeight, inputWidth, outputHeight, outputWidth;
  NNInt kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft;
  NNInt plainChannels;  // channels of a plain input; 0 for a blocked one
  NNInt imageStride, channelStride, rowStride, pixelStride;  // of a plain input, in elements
  NNInt relu;           // whether negative results become zero
  NNAlgorithm algorithm;
  NNInt strip;       // output pixels (Winograd: tiles) of a task
  NNInt panels;      // panels of 16 output channels of a task
  NNInt byPosition;  // Winograd: all panels for each position of the tile in turn, instead of all positions a panel
} NNConvolution;

/// A convolution of each channel with its own kernel; both sides blocked. weights: [block][kernel position][8].
typedef struct NNDepthwise {
  const float *input, *weights, *bias, *residual;
  float *output;
  NNInt batch, blocks;
  NNInt inputHeight, inputWidth, outputHeight, outputWidth;
  NNInt kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft;
  NNInt relu;
  NNInt rows;  // output rows of a task
} NNDepthwise;

/// output[m][n] = activation(sum over k of input[m][k] * weights[k][n] + bias[n]); weights packed by panels.
typedef struct NNDense {
  const float *input, *weights, *bias;  // bias may be null
  float *output;
  NNInt rows, inner, columns;
  NNInt inputStride, outputStride;  // from row to row
  NNInt relu;
  NNInt rowsPerTask, panels;  // panels of 16 columns
} NNDense;

/// Maximum or average over windows; both sides blocked.
typedef struct NNPooling {
  const float *input;
  float *output;
  NNInt planes;  // batch * blocks
  NNInt inputHeight, inputWidth, outputHeight, outputWidth;
  NNInt kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft;
  NNInt maximum, countPadding;
  NNInt planesPerTask;
} NNPooling;

/// The mean over a blocked input's pixels, into a plain [batch, channels].
typedef struct NNSpatialMean {
  const float *input;
  float *output;
  NNInt batch, channels, pixels;
  NNInt blocksPerTask;
} NNSpatialMean;

/// What an elementwise pass does.
typedef enum NNFunction { NN_IDENTITY, NN_RELU, NN_SIGMOID, NN_TANH } NNFunction;

/// output = function(first + second); second may be null. The output may be one of the operands.
typedef struct NNElementwise {
  const float *first, *second;
  float *output;
  NNInt count;
  NNFunction function;
  NNInt countPerTask;
} NNElementwise;

/// output = function(input * scale[channel] + shift[channel]); blocked.
typedef struct NNAffine {
  const float *input, *scale, *shift;
  float *output;
  NNInt batch, blocks, pixels;
  NNInt relu;
  NNInt planesPerTask;
} NNAffine;

/// Softmax over the last axis of a plain [rows, columns].
typedef struct NNSoftmax {
  const float *input;
  float *output;
  NNInt rows, columns;
  NNInt rowsPerTask;
} NNSoftmax;

/// Between plain and blocked; element (n, c, y, x) of the plain side is at the sum of its indices times the strides.
typedef struct NNReorder {
  const float *input;
  float *output;
  NNInt batch, channels, height, width;
  NNInt imageStride, channelStride, rowStride, pixelStride;
  NNInt blocksPerTask;  // of batch * blocks
} NNReorder;

/// Copies a blocked input's channels to the channels from `firstChannel` on of a blocked output; with `zeroFill`, what
/// comes after them becomes zero.
typedef struct NNChannelCopy {
  const float *input;
  float *output;
  NNInt batch, channels, firstChannel, outputChannels, pixels;
  NNInt zeroFill;
} NNChannelCopy;

/// One task of a step; `arguments` points at the struct that the kernel takes.
typedef void (*NNKernel)(const void *_Nonnull arguments, NNInt task, float *_Nullable scratch);

/// The kernels for one instruction set.
typedef struct NNKernels {
  const char *_Nonnull name;
  NNKernel _Nonnull convolution;
  NNKernel _Nonnull depthwise;
  NNKernel _Nonnull dense;
  NNKernel _Nonnull pooling;
  NNKernel _Nonnull spatialMean;
  NNKernel _Nonnull elementwise;
  NNKernel _Nonnull affine;
  NNKernel _Nonnull softmax;
  NNKernel _Nonnull channelCopy;
  NNKernel _Nonnull block;    // plain to blocked
  NNKernel _Nonnull unblock;  // blocked to plain
  /// Weights [filters][channels of a group][kernel...] to what `convolution` reads; each filter times its `scale`, if any.
  void (*_Nonnull packConvolution)(
    const NNConvolution *_Nonnull shape, NNInt groups, NNInt groupChannels, NNInt filters, const float *_Nonnull weights,
    const double *_Nullable scale, float *_Nonnull packed);
  /// Weights with element (k, n) at k * innerStride + n * columnStride, to panels.
  void (*_Nonnull packDense)(
    const float *_Nonnull weights, NNInt inner, NNInt columns, NNInt innerStride, NNInt columnStride,
    float *_Nonnull packed);
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

/// The floats of scratch that a task needs.
NNInt nnConvolutionScratch(const NNConvolution *_Nonnull arguments);
NNInt nnDepthwiseScratch(const NNDepthwise *_Nonnull arguments);

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

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif
