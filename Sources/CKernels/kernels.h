// All kernels for one instruction set. The including file defines KERNELS (the table's name), KERNELS_NAME, MAX_HEIGHT
// and MAX_HEIGHT_8 (the tile's rows that the registers hold), and FOR_EACH_HEIGHT(X) up to the larger of them.
#pragma clang fp contract(fast)
// Vectors wider than the registers are passed only to functions that are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#include "simd.h"

#define WIDTH 16
#include "tile.h"
#undef WIDTH
#define WIDTH 8
#include "tile.h"
#undef WIDTH

#include "convolution.h"
#include "winograd.h"

#include "depthwise.h"
#include "dense.h"
#include "passes.h"
#include "filterGradient.h"
#include "training.h"
#include "update.h"
#include "perceptron.h"

const NNKernels KERNELS = {
  KERNELS_NAME, convolution, convolutionOnce, depthwise, dense, denseOnce, pooling, spatialMean, elementwise, affine, softmax,
  channelCopy, block, unblock, pack, packDepthwise, packDense, transpose, filterGradient, depthwiseGradient, combine,
  combineDoubles, moments, gradientMoments, momentsToScale, momentsToGradient, normalize, normalizeGradient, spread,
  maximumGradient, spatialMeanGradient, columnSum, product, loss, metric, track, squares, squaresToFactor, update, perceptron,
  perceptronSteps, peak, MAX_HEIGHT * 16 * 2,
};
