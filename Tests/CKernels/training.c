// The kernels that only training has, as a step calls them one after the other.
#include <stdlib.h>

#include "checks.h"

static NNInt ceilDivide(NNInt count, NNInt by) { return (count + by - 1) / by; }

static double *doubles(NNInt count) { return bytes(count * (NNInt)sizeof(double)); }

// Normalisation by a batch's own statistics, and its gradient.
static void normalization(const NNKernels *kernels) {
  const NNInt batch = pick(1, 9), channels = pick(1, 40), pixels = pick(0, 9) ? pick(1, 30) : pick(1000, 1060);
  const NNInt planes = batch * blocks(channels), count = planes * 8 * pixels;
  const NNPieces pieces = pickPieces(batch);
  const NNInt sums = blocks(channels) * 16, planesPerTask = pick(1, 5), tasks = ceilDivide(planes, planesPerTask);
  float *input = floats(count), *output = floats(count), *gradient = floats(count), *result = floats(count);
  float *gamma = floats(channels), *beta = floats(channels), *mean = floats(channels), *variance = floats(channels);
  float *gammaGradient = floats(channels), *betaGradient = floats(channels), *factors = floats(blocks(channels) * 32);
  double *parts = doubles(pieces.count * sums), *whole = doubles(sums);

  NNMoments moments = {
    .input = input, .sums = parts, .batch = batch, .channels = channels, .pixels = pixels, .pieces = pieces};
  run(kernels->moments, &moments, pieces.count * blocks(channels), 0);
  NNCombineDoubles combine = {.input = parts, .output = whole, .count = sums, .pieces = pieces.count};
  run(kernels->combineDoubles, &combine, 1, 0);
  NNNormalization statistics = {
    .sums = whole, .gamma = gamma, .beta = beta, .mean = mean, .variance = variance, .factors = factors,
    .channels = channels, .count = (double)(batch * pixels), .epsilon = 1e-5};
  run(kernels->momentsToScale, &statistics, blocks(channels), 0);
  check("mean", mean, channels);
  check("variance", variance, channels);
  NNTrack track = {.batch = mean, .running = beta, .count = channels, .keep = 0.9f, .share = 0.1f, .correction = 1};
  run(kernels->track, &track, 1, 0);
  check("running mean", beta, channels);
  NNNormalize normalize = {
    .input = input, .residual = pick(0, 1) ? gradient : NULL, .factors = factors, .output = output, .batch = batch,
    .channels = channels, .pixels = pixels, .relu = pick(0, 1), .planesPerTask = planesPerTask};
  run(kernels->normalize, &normalize, tasks, 0);
  check("normalisation", output, count);

  const float *activated = pick(0, 1) ? output : NULL;
  NNMoments gradients = {
    .input = input, .gradient = gradient, .activated = activated, .mean = mean, .masked = pick(0, 1) ? result : NULL,
    .sums = parts, .batch = batch, .channels = channels, .pixels = pixels, .pieces = pieces};
  if (pick(0, 3) == 0) gradients.input = NULL, gradients.mean = NULL;
  run(kernels->gradientMoments, &gradients, pieces.count * blocks(channels), 0);
  combine.narrowed = betaGradient, combine.narrowedCount = channels;
  run(kernels->combineDoubles, &combine, 1, 0);
  check("a bias's gradient", betaGradient, channels);
  statistics.gammaGradient = gammaGradient, statistics.betaGradient = betaGradient;
  run(kernels->momentsToGradient, &statistics, blocks(channels), 0);
  check("gamma's gradient", gammaGradient, channels);
  NNNormalize back = {
    .input = input, .gradient = gradient, .activated = activated, .factors = factors, .output = result, .batch = batch,
    .channels = channels, .pixels = pixels, .planesPerTask = planesPerTask};
  run(kernels->normalizeGradient, &back, tasks, 0);
  check("normalisation's gradient", result, count);

  free(input), free(output), free(gradient), free(result), free(gamma), free(beta), free(mean), free(variance);
  free(gammaGradient), free(betaGradient), free(factors), free(parts), free(whole);
}

// The gradients of a dense layer, and losses and metrics of its result.
static void losses(const NNKernels *kernels) {
  const NNInt rows = pick(1, 70), height = pick(1, 150), columns = pick(1, 40);
  const NNPieces pieces = pickPieces(rows);
  float *left = floats(rows * height), *right = floats(rows * columns), *target = floats(rows * columns);
  float *products = floats(pieces.count * height * columns), *sums = floats(pieces.count * columns);
  NNProduct product = {
    .left = left, .right = right, .output = products, .rows = rows, .height = height, .columns = columns,
    .pieces = pieces};
  run(kernels->product, &product, nnProductTasks(&product), nnProductScratch());
  check("product", products, pieces.count * height * columns);
  NNColumnSum columnSum = {.input = right, .output = sums, .rows = rows, .columns = columns, .pieces = pieces};
  run(kernels->columnSum, &columnSum, pieces.count, 0);
  check("sums of columns", sums, pieces.count * columns);

  double *shares = doubles(pieces.count);
  float *gradient = floats(rows * columns);
  for (int kind = NN_MEAN_SQUARED_ERROR; kind <= NN_CROSS_ENTROPY; kind++) {
    NNLoss loss = {
      .output = right, .target = target, .gradient = pick(0, 3) ? gradient : NULL, .sums = shares, .rows = rows,
      .columns = columns, .wholeRows = pieces.rows, .pieces = pieces, .kind = (NNLossKind)kind};
    run(kernels->loss, &loss, pieces.count, 0);
    check("a loss's gradient", gradient, rows * columns);
  }
  for (int kind = NN_ACCURACY; kind <= NN_ABSOLUTE_ERROR; kind++) {
    NNMetric metric = {
      .output = right, .target = target, .sums = shares, .rows = rows, .columns = columns, .pieces = pieces,
      .kind = (NNMetricKind)kind};
    run(kernels->metric, &metric, pieces.count, 0);
  }
  free(left), free(right), free(target), free(products), free(sums), free(shares), free(gradient);
}

// The norm of all gradients, and a step of each rule; all counts are multiples of 8.
static void updates(const NNKernels *kernels) {
  const NNInt count = 8 * pick(1, 60), countPerTask = 8 * pick(1, 20), tasks = ceilDivide(count, countPerTask);
  float *parameters = floats(count), *gradients = floats(count), factor;
  double *sums = doubles(tasks);
  NNClip clip = {
    .gradients = gradients, .sums = sums, .factor = &factor, .count = count, .countPerTask = countPerTask,
    .largest = 0.5};
  run(kernels->squares, &clip, tasks, 0);
  run(kernels->squaresToFactor, &clip, 1, 0);
  check("the norm's factor", &factor, 1);
  for (int kind = NN_SGD; kind <= NN_ADAMW; kind++) {
    int32_t diverged = 0;
    NNUpdate update = {
      .parameters = parameters, .gradients = gradients, .factor = pick(0, 1) ? &factor : NULL, .diverged = &diverged,
      .count = count, .countPerTask = countPerTask, .kind = (NNRule)kind, .nesterov = pick(0, 1), .rate = 0.01,
      .momentum = pick(0, 1) ? 0.9 : 0, .decay = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    if (kind != NN_SGD || update.momentum != 0) update.first = floats(count);
    if (kind != NN_SGD) update.second = floats(count);
    for (NNInt place = 0; update.second && place < count; place++) update.second[place] = 0;
    for (update.step = 1; update.step <= 2; update.step++) run(kernels->update, &update, tasks, 0);
    check("updated parameters", parameters, count);
    if (diverged) abort();
    free(update.first), free(update.second);
  }
  free(parameters), free(gradients), free(sums);
}

// A small dense layer with its loss and all gradients.
static void perceptron(const NNKernels *kernels) {
  const NNInt rows = pick(1, 128), inner = pick(1, NN_PERCEPTRON_INNER), units = pick(1, 16);
  float loss, *input = floats(ceilDivide(rows, 8) * 8 * inner), *target = floats(ceilDivide(rows, 8) * 8 * units);
  float *weights = floats(units * inner), *bias = pick(0, 1) ? floats(units) : NULL, *output = floats(rows * units);
  float *weightGradient = pick(0, 3) ? floats(units * inner) : NULL, *biasGradient = bias ? floats(units) : NULL;
  NNPerceptron step = {
    .input = input, .weights = weights, .bias = bias, .target = target, .output = output, .loss = &loss,
    .weightGradient = weightGradient, .biasGradient = biasGradient, .rows = rows, .inner = inner, .units = units,
    .sigmoid = pick(0, 1), .kind = pick(0, 1) ? NN_MEAN_SQUARED_ERROR : NN_BINARY_CROSS_ENTROPY};
  run(kernels->perceptron, &step, 1, 0);
  check("perceptron", output, rows * units);
  check("perceptron's loss", &loss, 1);
  if (weightGradient) check("perceptron's gradient", weightGradient, units * inner);
  free(input), free(target), free(weights), free(bias), free(output), free(weightGradient), free(biasGradient);
}

void training(const NNKernels *kernels) {
  normalization(kernels);
  losses(kernels);
  updates(kernels);
  perceptron(kernels);
}
