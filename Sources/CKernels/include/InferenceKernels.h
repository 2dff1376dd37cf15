// What the kernels of a run take.
#ifndef CKERNELS_INFERENCE_H
#define CKERNELS_INFERENCE_H

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

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif
