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

/// What an elementwise pass does: a function of first + second, or a product of first with something of second.
typedef enum NNFunction {
  NN_IDENTITY,
  NN_RELU,
  NN_SIGMOID,
  NN_TANH,
  NN_PRODUCT,           // first * second
  NN_RELU_GRADIENT,     // first where second > 0
  NN_SIGMOID_GRADIENT,  // first * second * (1 - second)
  NN_TANH_GRADIENT,     // first * (1 - second^2)
} NNFunction;

/// output = function(first, second); second may be null for a sum. The output may be one of the operands.
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

/// Copies a blocked input's first `channels` channels to the channels from `firstChannel` on of a blocked output; with `zeroFill`, what
/// comes after them becomes zero.
typedef struct NNChannelCopy {
  const float *input;
  float *output;
  NNInt batch, inputChannels, channels, firstChannel, outputChannels, pixels;
  NNInt zeroFill;
} NNChannelCopy;

/// Weights of a convolution, plain, to what `convolution` reads with the same shape; each filter times its `scale`, if
/// any. The weight of filter f, channel c of its group and kernel position t is at f * filterStride + c * channelStride +
/// t, or with `reversed` at ... + (positions - 1 - t), as the gradient of a convolution's input needs them.
typedef struct NNPack {
  const float *input;
  const double *scale;
  float *output;
  NNConvolution shape;
  NNInt groups, groupChannels, filters, filterStride, channelStride, reversed;
} NNPack;

/// Weights with element (k, n) at k * innerStride + n * columnStride, to the panels that `dense` reads.
typedef struct NNPackDense {
  const float *input;
  float *output;
  NNInt inner, columns, innerStride, columnStride;
} NNPackDense;

/// A dense layer whose weights are used once: `pack` says where they lie, and each panel is packed where it is used.
typedef struct NNDenseOnce {
  NNDense dense;
  NNPackDense pack;
} NNDenseOnce;

/// output[c][r] = input[r][c].
typedef struct NNTranspose {
  const float *input;
  float *output;
  NNInt rows, columns;
} NNTranspose;

/// The gradient of a convolution's weights, plain [filters][channels][kernel...]; input and gradient blocked, one group.
typedef struct NNFilterGradient {
  const float *input, *gradient;
  float *output;
  NNInt batch, channels, filters;
  NNInt inputHeight, inputWidth, outputHeight, outputWidth;
  NNInt kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft;
} NNFilterGradient;

/// Normalisation by the batch's own mean and biased variance, blocked:
/// output = activation(gamma * (input - mean) / sqrt(variance + epsilon) + beta + residual). Vectors are plain.
typedef struct NNNormalize {
  const float *input, *gamma, *beta, *residual;
  float *output, *mean, *variance;
  NNInt batch, channels, pixels, relu;
  double epsilon;
} NNNormalize;

/// Its gradients; where `activated` (the result after relu) is not positive, the result's gradient counts as zero.
typedef struct NNNormalizeGradient {
  const float *gradient, *input, *gamma, *mean, *variance, *activated;
  float *output, *gammaGradient, *betaGradient;
  NNInt batch, channels, pixels;
  double epsilon;
} NNNormalizeGradient;

/// The gradient of a maximum pooling: each window's goes to its first largest element in row-major order.
typedef struct NNMaximumGradient {
  const float *gradient, *input;
  float *output;
  NNPooling shape;
} NNMaximumGradient;

/// The sum over batch and pixels for each channel of a blocked input, into a plain vector.
typedef struct NNChannelSum {
  const float *input;
  float *output;
  NNInt batch, channels, pixels;
} NNChannelSum;

/// A blocked output whose pixels are zero but for every stride-th, which are the input's.
typedef struct NNSpread {
  const float *input;
  float *output;
  NNInt planes, inputHeight, inputWidth, outputHeight, outputWidth, strideY, strideX;
} NNSpread;

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
  NNKernel _Nonnull packDense;  // a task a panel
  NNKernel _Nonnull transpose;
  NNKernel _Nonnull filterGradient;
  NNKernel _Nonnull normalize;          // a task a block of channels
  NNKernel _Nonnull normalizeGradient;  // a task a block of channels
  NNKernel _Nonnull channelSum;         // a task a block of channels
  NNKernel _Nonnull spread;             // a task a plane
  NNKernel _Nonnull maximumGradient;    // a task a plane: NNMaximumGradient
  NNKernel _Nonnull spatialMeanGradient;  // NNSpatialMean, the other way
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

/// The floats of scratch that a task needs.
NNInt nnConvolutionScratch(const NNConvolution *_Nonnull arguments);
NNInt nnConvolutionOnceScratch(const NNPack *_Nonnull arguments);
NNInt nnDepthwiseScratch(const NNDepthwise *_Nonnull arguments);
NNInt nnFilterGradientScratch(const NNFilterGradient *_Nonnull arguments);

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
