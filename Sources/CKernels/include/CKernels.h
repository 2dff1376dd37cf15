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
  NNInt single;  // one row, and it is the whole batch: added in another order
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
/// any. The weight of filter f, channel c of its group and kernel position t is at f * filterStride + its group * groupStride +
/// c * channelStride + t, or with `reversed` at ... + (positions - 1 - t), as the gradient of a convolution's input needs them.
typedef struct NNPack {
  const float *input;
  const double *scale;
  float *output;
  NNConvolution shape;
  NNInt groups, groupChannels, filters, filterStride, groupStride, channelStride, reversed;
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

/// A batch of `rows` cut into `of` pieces, the p-th from rows * p / of on, of which `count` from `first` on are here.
typedef struct NNPieces {
  NNInt rows, of, first, count;
} NNPieces;

/// The gradient of a convolution's weights over each piece of the batch, [piece][filters][channels / groups][kernel...];
/// input and gradient blocked.
typedef struct NNFilterGradient {
  const float *input, *gradient;
  float *output;
  NNInt batch, channels, filters, groups;
  NNPieces pieces;
  NNInt bundles;  // of groups whose channels fill whole blocks together; 1 for all
  NNInt inputHeight, inputWidth, outputHeight, outputWidth;
  NNInt kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft;
} NNFilterGradient;

/// output[i] = the sum over pieces of input[piece][i], by a binary tree; at most 8 pieces.
typedef struct NNCombine {
  const float *input;
  float *output;
  NNInt count, pieces, countPerTask;
} NNCombine;

/// The same for doubles, one task; then, where `narrowed` is not null, their first `narrowedCount` as floats.
typedef struct NNCombineDoubles {
  const double *input;
  double *output;
  float *narrowed;
  NNInt count, pieces, narrowedCount;
} NNCombineDoubles;

/// Sums over each piece of the batch, double precision, [piece][2][channels of whole blocks]: of `input` and its square; or
/// of `gradient`, masked where `activated` is not positive, and its product with input - mean. What is null counts as
/// absent; `masked` receives the masked gradient.
typedef struct NNMoments {
  const float *input, *gradient, *activated, *mean;
  float *masked;
  double *sums;
  NNInt batch, channels, pixels;
  NNPieces pieces;
} NNMoments;

/// From the sums over the whole batch (`count` numbers a channel) to mean and variance, or to the gradients of gamma and
/// beta; `factors` are for `normalize` [block][factor, summand][8] or its gradient [block][scale, slope, offset, mean][8].
typedef struct NNNormalization {
  const double *sums;
  const float *gamma, *beta;
  float *mean, *variance, *gammaGradient, *betaGradient, *factors;
  NNInt channels;
  double count, epsilon;
} NNNormalization;

/// output = activation(input * factor + summand + residual), or the gradient scale * g + slope * (input - mean) + offset
/// with g = gradient where `activated`, if any, is positive; blocked.
typedef struct NNNormalize {
  const float *input, *gradient, *activated, *residual, *factors;
  float *output;
  NNInt batch, channels, pixels, relu, planesPerTask;
} NNNormalize;

/// The gradient of a maximum pooling: each window's goes to its first largest element in row-major order.
typedef struct NNMaximumGradient {
  const float *gradient, *input;
  float *output;
  NNPooling shape;
} NNMaximumGradient;

/// A blocked output whose pixels are zero but for every stride-th, which are the input's.
typedef struct NNSpread {
  const float *input;
  float *output;
  NNInt planes, inputHeight, inputWidth, outputHeight, outputWidth, strideY, strideX;
} NNSpread;

/// The sums of the columns of a plain [rows, columns] over each piece of the rows: [piece][columns].
typedef struct NNColumnSum {
  const float *input;
  float *output;
  NNInt rows, columns;
  NNPieces pieces;
} NNColumnSum;

/// left^T right over each piece of the rows, [piece][height][columns]; left is a plain [rows, height], right a plain
/// [rows, columns].
typedef struct NNProduct {
  const float *left, *right;
  float *output;
  NNInt rows, height, columns;
  NNPieces pieces;
} NNProduct;

typedef enum NNLossKind { NN_MEAN_SQUARED_ERROR, NN_BINARY_CROSS_ENTROPY, NN_CROSS_ENTROPY } NNLossKind;

/// A loss of plain [rows, columns] against a target: each piece's share of its mean over `wholeRows`, and its gradient
/// unless that is null.
typedef struct NNLoss {
  const float *output, *target;
  float *gradient;
  double *sums;
  NNInt rows, columns, wholeRows;
  NNPieces pieces;
  NNLossKind kind;
} NNLoss;

enum { NN_PERCEPTRON_INNER = 32, NN_PERCEPTRON_UNITS = 16, NN_PERCEPTRON_ROWS = 128 };

/// A dense layer of plain weights [units, inner] with or without a sigmoid, its loss against a target and all gradients,
/// one task. Input and target lie in blocks of 8 rows: [block][inner][8] and [block][units][8]; the output is plain.
typedef struct NNPerceptron {
  const float *input, *weights, *bias, *target;
  float *output, *loss, *weightGradient, *biasGradient;
  NNInt rows, inner, units, sigmoid;
  NNLossKind kind;  // not a softmax's
} NNPerceptron;

typedef enum NNMetricKind { NN_ACCURACY, NN_ABSOLUTE_ERROR } NNMetricKind;

/// The sums over pieces of the rows that a metric's mean is made of: rows that are right, or sizes of differences.
typedef struct NNMetric {
  const float *output, *target;
  double *sums;
  NNInt rows, columns;
  NNPieces pieces;
  NNMetricKind kind;
} NNMetric;

/// running = keep * running + share * correction * batch.
typedef struct NNTrack {
  const float *batch;
  float *running;
  NNInt count;
  float keep, share, correction;
} NNTrack;

/// The norm over all gradients, and min(1, largest / (norm + 1e-6)).
typedef struct NNClip {
  const float *gradients;
  double *sums;  // one a task of `squares`
  float *factor;
  NNInt count, countPerTask;
  double largest;
} NNClip;

typedef enum NNRule { NN_SGD, NN_ADAM, NN_ADAMW } NNRule;

/// Moves parameters along their gradients; `first` and `second` are what the rule keeps, null where it keeps nothing.
/// `count` is a multiple of 8. `diverged` becomes 1 where a parameter is not finite any more.
typedef struct NNUpdate {
  float *parameters, *first, *second;
  const float *gradients, *factor;  // factor: of the gradients, or null
  int32_t *diverged;
  NNInt count, countPerTask;
  NNRule kind;
  NNInt nesterov, step;  // step counts from 1
  double rate, momentum, decay, beta1, beta2, epsilon;
} NNUpdate;

/// What changes from run to run of a plan that is run again and again, and what each run leaves. Null: nothing.
typedef struct NNLoop {
  NNUpdate *update;     // its rate and step are set before every run
  const double *rates;  // one a run
  const float *losses;  // their sum is a run's loss
  const double *metrics;
  const int32_t *diverged;
  NNInt lossCount, metricCount;
  double *lossHistory;    // [run]
  double *metricHistory;  // [run][metric]
} NNLoop;

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
