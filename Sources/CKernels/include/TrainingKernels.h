// What the kernels of a training step take: gradients, sums over the batch, losses and updates.
#ifndef CKERNELS_TRAINING_H
#define CKERNELS_TRAINING_H

#include "InferenceKernels.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

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

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif
