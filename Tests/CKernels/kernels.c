// The kernels on their own, for the address sanitizer and the one for undefined behaviour (`make sanitize-kernels`): every
// kernel of every instruction set, at sizes around those of blocks, tiles and panels, over operands that end where they
// should. Their numbers are KernelsTests' affair; here they only have to be finite.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "checks.h"

static unsigned long state = 88172645463325252ul;
static long runs;

NNInt pick(NNInt low, NNInt high) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return low + (NNInt)(state % (unsigned long)(high - low + 1));
}

NNPieces pickPieces(NNInt here) {
  NNInt count = (NNInt)1 << pick(0, 2), shares = pick(1, 2);
  while (count > here) count /= 2;
  return (NNPieces){.rows = here * shares, .of = count * shares, .first = pick(0, shares - 1) * count, .count = count};
}

NNInt blocks(NNInt channels) { return (channels + 7) / 8; }

NNInt bundles(NNInt groups, NNInt channels, NNInt filters) {
  for (NNInt merged = 1; merged <= 8; merged++)
    if (groups % merged == 0 && channels / groups * merged % 8 == 0 && filters / groups * merged % 8 == 0)
      return groups / merged;
  return 1;
}

void *bytes(NNInt count) {
  void *memory;
  if (posix_memalign(&memory, 64, (size_t)(count > 0 ? count : 1))) abort();
  return memory;
}

float *floats(NNInt count) {
  float *memory = bytes(count * (NNInt)sizeof(float));
  for (NNInt index = 0; index < count; index++) memory[index] = (float)pick(-1000, 1000) / 512;
  return memory;
}

float *vector(NNInt channels) {
  const NNInt count = (channels + 15) / 16 * 16 + 16;
  float *memory = floats(count);
  for (NNInt index = channels; index < count; index++) memory[index] = 0;
  return memory;
}

void run(NNKernel kernel, const void *arguments, NNInt tasks, NNInt scratch) {
  float *memory = floats(scratch);
  for (NNInt task = 0; task < tasks; task++) kernel(arguments, task, memory);
  free(memory);
  runs++;
}

void check(const char *name, const float *output, NNInt count) {
  for (NNInt index = 0; index < count; index++)
    if (!isfinite(output[index])) {
      printf("%s: not finite at %td of %td\n", name, index, count);
      exit(1);
    }
}

static void convolution(const NNKernels *kernels) {
  NNConvolution c = {0};
  const NNAlgorithm algorithms[] = {NN_DIRECT, NN_DIRECT, NN_WINOGRAD_2, NN_WINOGRAD_4};
  c.algorithm = algorithms[pick(0, 3)];
  const int direct = c.algorithm == NN_DIRECT;
  const NNInt groups = pick(0, 2) ? 1 : pick(2, 4);
  const NNInt channels = pick(0, 7) ? groups * pick(1, 40 / groups) : 3 * groups, filters = groups * pick(1, 50 / groups);
  c.batch = pick(1, 3), c.groups = bundles(groups, channels, filters);
  c.inputBlocks = blocks(channels / c.groups), c.outputBlocks = blocks(filters / c.groups);
  c.kernelHeight = direct ? pick(1, 5) : 3, c.kernelWidth = direct ? pick(1, 5) : 3;
  c.strideY = direct ? pick(1, 3) : 1, c.strideX = direct ? pick(1, 3) : 1;
  c.dilationY = direct ? pick(1, 2) : 1, c.dilationX = direct ? pick(1, 2) : 1;
  c.padTop = direct ? pick(0, 3) : 1, c.padLeft = direct ? pick(0, 3) : 1;
  c.inputHeight = pick(1, 22), c.inputWidth = pick(1, 22);
  const NNInt rows = c.dilationY * (c.kernelHeight - 1) + 1, columns = c.dilationX * (c.kernelWidth - 1) + 1;
  if (c.inputHeight + 2 * c.padTop < rows || c.inputWidth + 2 * c.padLeft < columns) return;
  c.outputHeight = (c.inputHeight + 2 * c.padTop - rows) / c.strideY + 1;
  c.outputWidth = (c.inputWidth + 2 * c.padLeft - columns) / c.strideX + 1;
  const NNInt pixels = c.inputHeight * c.inputWidth, outputs = c.outputHeight * c.outputWidth;
  if (direct && pick(0, 3) == 0) {
    const NNInt channelsLast = pick(0, 1);
    c.plainChannels = channels, c.imageStride = channels * pixels;
    c.channelStride = channelsLast ? 1 : pixels, c.pixelStride = channelsLast ? channels : 1;
    c.rowStride = c.inputWidth * c.pixelStride;
  }
  c.strip = pick(1, 40), c.panels = pick(1, 3), c.relu = pick(0, 1);
  const NNInt count = c.batch * c.groups * c.outputBlocks * 8 * outputs;
  float *input = floats(c.batch * (c.plainChannels ? channels : c.groups * c.inputBlocks * 8) * pixels);
  float *residual = pick(0, 1) ? floats(count) : NULL;
  float *bias = vector(filters), *output = floats(count), *packed = floats(nnConvolutionWeights(&c));
  const NNInt taps = c.kernelHeight * c.kernelWidth, groupChannels = channels / groups;
  float *weights = floats(filters * groupChannels * taps);
  double *scale = pick(0, 1) ? bytes(filters * (NNInt)sizeof(double)) : NULL;
  for (NNInt filter = 0; scale && filter < filters; filter++) scale[filter] = (double)pick(1, 100) / 50;
  NNPack pack = {
    .input = weights, .scale = scale, .output = packed, .shape = c, .groups = groups, .groupChannels = groupChannels,
    .filters = filters, .filterStride = groupChannels * taps, .channelStride = taps};
  run(kernels->pack, &pack, nnPackTasks(&c), 0);
  c.input = input, c.weights = packed, c.bias = bias, c.residual = residual, c.output = output;
  run(kernels->convolution, &c, nnConvolutionTasks(&c), nnConvolutionScratch(&c));
  check("convolution", output, count);
  if (direct) {
    pack.shape = c, pack.shape.strip = outputs, pack.output = NULL;
    run(kernels->convolutionOnce, &pack, nnConvolutionTasks(&pack.shape), nnConvolutionOnceScratch(&pack));
    check("convolution, weights once", output, count);
  }
  if (!c.plainChannels) {
    const NNInt size = filters * groupChannels * taps;
    NNFilterGradient g = {
      .input = input, .gradient = output, .batch = c.batch, .channels = channels, .filters = filters,
      .groups = groups, .pieces = pickPieces(c.batch), .bundles = c.groups, .inputHeight = c.inputHeight,
      .inputWidth = c.inputWidth, .outputHeight = c.outputHeight, .outputWidth = c.outputWidth,
      .kernelHeight = c.kernelHeight, .kernelWidth = c.kernelWidth, .strideY = c.strideY, .strideX = c.strideX,
      .dilationY = c.dilationY, .dilationX = c.dilationX, .padTop = c.padTop, .padLeft = c.padLeft};
    g.output = floats(g.pieces.count * size);
    run(kernels->filterGradient, &g, nnFilterGradientTasks(&g), nnFilterGradientScratch(&g));
    NNCombine combine = {.input = g.output, .output = weights, .count = size, .pieces = g.pieces.count, .countPerTask = pick(1, size)};
    run(kernels->combine, &combine, (size + combine.countPerTask - 1) / combine.countPerTask, 0);
    check("filter gradient", weights, size);
    free(g.output);
  }
  free(scale);
  free(input), free(residual), free(bias), free(output), free(packed), free(weights);
}

static void depthwise(const NNKernels *kernels) {
  NNDepthwise d = {0};
  d.batch = pick(1, 3), d.blocks = pick(1, 3);
  d.kernelHeight = pick(1, 5), d.kernelWidth = pick(1, 5), d.strideY = pick(1, 3), d.strideX = pick(1, 3);
  d.dilationY = pick(1, 2), d.dilationX = pick(1, 2), d.padTop = pick(0, 3), d.padLeft = pick(0, 3);
  d.inputHeight = pick(1, 17), d.inputWidth = pick(1, 17), d.relu = pick(0, 1), d.rows = pick(1, 5);
  const NNInt rows = d.dilationY * (d.kernelHeight - 1) + 1, columns = d.dilationX * (d.kernelWidth - 1) + 1;
  if (d.inputHeight + 2 * d.padTop < rows || d.inputWidth + 2 * d.padLeft < columns) return;
  d.outputHeight = (d.inputHeight + 2 * d.padTop - rows) / d.strideY + 1;
  d.outputWidth = (d.inputWidth + 2 * d.padLeft - columns) / d.strideX + 1;
  const NNInt count = d.batch * d.blocks * 8 * d.outputHeight * d.outputWidth;
  float *input = floats(d.batch * d.blocks * 8 * d.inputHeight * d.inputWidth), *bias = vector(d.blocks * 8);
  float *weights = floats(d.blocks * 8 * d.kernelHeight * d.kernelWidth), *output = floats(count);
  float *residual = pick(0, 1) ? floats(count) : NULL;
  d.input = input, d.weights = weights, d.bias = bias, d.residual = residual, d.output = output;
  run(kernels->depthwise, &d, nnDepthwiseTasks(&d), nnDepthwiseScratch(&d));
  check("depthwise", output, count);
  const NNInt channels = d.blocks * 8 - pick(0, 7), taps = d.kernelHeight * d.kernelWidth;
  NNFilterGradient g = {
    .input = input, .gradient = output, .batch = d.batch, .channels = channels, .filters = channels, .groups = channels,
    .pieces = pickPieces(d.batch), .bundles = 1, .inputHeight = d.inputHeight, .inputWidth = d.inputWidth,
    .outputHeight = d.outputHeight, .outputWidth = d.outputWidth, .kernelHeight = d.kernelHeight,
    .kernelWidth = d.kernelWidth, .strideY = d.strideY, .strideX = d.strideX, .dilationY = d.dilationY,
    .dilationX = d.dilationX, .padTop = d.padTop, .padLeft = d.padLeft};
  g.output = floats(g.pieces.count * channels * taps);
  run(kernels->depthwiseGradient, &g, g.pieces.count * d.blocks, taps * 8);
  check("depthwise gradient", g.output, g.pieces.count * channels * taps);
  NNPack pack = {.input = g.output, .output = weights, .filters = channels, .filterStride = taps, .reversed = pick(0, 1)};
  run(kernels->packDepthwise, &pack, 1, 0);
  check("depthwise weights", weights, d.blocks * 8 * taps);
  free(g.output);
  free(input), free(bias), free(weights), free(output), free(residual);
}

static void dense(const NNKernels *kernels) {
  NNDense d = {.rows = pick(1, 20), .inner = pick(0, 7) ? pick(1, 70) : pick(500, 1100), .columns = pick(1, 70), .relu = pick(0, 1)};
  d.inputStride = d.inner, d.outputStride = d.columns, d.rowsPerTask = pick(1, 9), d.panels = pick(1, 3);
  d.single = d.rows == 1;
  float *weights = floats(d.inner * d.columns), *packed = floats(nnDenseWeights(d.inner, d.columns));
  NNPackDense pack = {
    .input = weights, .output = packed, .inner = d.inner, .columns = d.columns, .innerStride = 1,
    .columnStride = d.inner};
  run(kernels->packDense, &pack, (d.columns + 15) / 16, 0);
  float *input = floats(d.rows * d.inner), *output = floats(d.rows * d.columns), *bias = vector(d.columns);
  d.input = input, d.weights = packed, d.output = output, d.bias = pick(0, 1) ? bias : NULL;
  run(kernels->dense, &d, nnDenseTasks(&d), 0);
  check("dense", output, d.rows * d.columns);
  NNDenseOnce once = {.dense = d, .pack = pack};
  if (pick(0, 1)) once.pack.innerStride = d.columns, once.pack.columnStride = 1;
  run(kernels->denseOnce, &once, (d.columns + 15) / 16, d.inner * 16);
  check("dense, weights once", output, d.rows * d.columns);
  NNTranspose t = {.input = output, .output = floats(d.rows * d.columns), .rows = d.rows, .columns = d.columns};
  run(kernels->transpose, &t, 1, 0);
  check("transpose", t.output, d.rows * d.columns);
  free(t.output), free(weights), free(packed), free(input), free(output), free(bias);
}

static void pooling(const NNKernels *kernels) {
  NNPooling p = {.planes = pick(1, 5), .inputHeight = pick(1, 13), .inputWidth = pick(1, 13)};
  p.kernelHeight = pick(1, 4), p.kernelWidth = pick(1, 4), p.strideY = pick(1, 3), p.strideX = pick(1, 3);
  p.padTop = pick(0, p.kernelHeight - 1), p.padLeft = pick(0, p.kernelWidth - 1);
  if (p.inputHeight + 2 * p.padTop < p.kernelHeight || p.inputWidth + 2 * p.padLeft < p.kernelWidth) return;
  p.outputHeight = (p.inputHeight + 2 * p.padTop - p.kernelHeight) / p.strideY + 1;
  p.outputWidth = (p.inputWidth + 2 * p.padLeft - p.kernelWidth) / p.strideX + 1;
  p.maximum = pick(0, 1), p.countPadding = pick(0, 1), p.planesPerTask = pick(1, 3);
  const NNInt inputs = p.planes * 8 * p.inputHeight * p.inputWidth;
  const NNInt count = p.planes * 8 * p.outputHeight * p.outputWidth;
  float *input = floats(inputs), *output = floats(count), *spread = floats(inputs);
  p.input = input, p.output = output;
  run(kernels->pooling, &p, (p.planes + p.planesPerTask - 1) / p.planesPerTask, 0);
  check("pooling", output, count);
  NNMaximumGradient g = {.gradient = output, .input = input, .output = spread, .shape = p};
  run(kernels->maximumGradient, &g, p.planes, 0);
  check("maximum's gradient", spread, inputs);
  free(input), free(output), free(spread);
}

static void passes(const NNKernels *kernels) {
  const NNInt batch = pick(1, 3), channels = pick(1, 40), height = pick(1, 9), width = pick(1, 9);
  const NNInt pixels = height * width, count = batch * blocks(channels) * 8 * pixels;
  float *a = floats(count), *b = floats(count), *output = floats(count), *plain = floats(batch * channels * pixels);
  for (int function = NN_IDENTITY; function <= NN_TANH_GRADIENT; function++) {
    NNElementwise e = {.first = a, .second = b, .output = output, .count = count, .function = (NNFunction)function};
    e.countPerTask = pick(1, count);
    run(kernels->elementwise, &e, (count + e.countPerTask - 1) / e.countPerTask, 0);
    check("elementwise", output, count);
  }
  NNReorder r = {
    .input = plain, .output = output, .batch = batch, .channels = channels, .height = height, .width = width,
    .imageStride = channels * pixels, .channelStride = pixels, .rowStride = width, .pixelStride = 1,
    .blocksPerTask = pick(1, 3)};
  const NNInt planes = batch * blocks(channels), reorders = (planes + r.blocksPerTask - 1) / r.blocksPerTask;
  run(kernels->block, &r, reorders, 0);
  r.input = output, r.output = plain;
  run(kernels->unblock, &r, reorders, 0);
  check("layout", plain, batch * channels * pixels);
  float *scale = vector(channels), *shift = vector(channels);
  NNAffine affine = {
    .input = a, .scale = scale, .shift = shift, .output = output, .batch = batch, .blocks = blocks(channels),
    .pixels = pixels, .relu = pick(0, 1), .planesPerTask = pick(1, 3)};
  run(kernels->affine, &affine, (planes + affine.planesPerTask - 1) / affine.planesPerTask, 0);
  NNSoftmax softmax = {.input = plain, .output = plain, .rows = batch, .columns = channels * pixels, .rowsPerTask = 2};
  run(kernels->softmax, &softmax, (batch + 1) / 2, 0);
  check("softmax", plain, batch * channels * pixels);
  float *means = floats(batch * channels);
  NNSpatialMean mean = {
    .input = a, .output = means, .batch = batch, .channels = channels, .pixels = pixels, .blocksPerTask = pick(1, 3)};
  run(kernels->spatialMean, &mean, (planes + mean.blocksPerTask - 1) / mean.blocksPerTask, 0);
  check("mean", means, batch * channels);
  mean.input = means, mean.output = output;
  run(kernels->spatialMeanGradient, &mean, (planes + mean.blocksPerTask - 1) / mean.blocksPerTask, 0);
  const NNInt first = pick(0, 9), more = first + channels + pick(0, 9);
  float *wide = floats(batch * blocks(more) * 8 * pixels);
  NNChannelCopy copy = {
    .input = a, .output = wide, .batch = batch, .inputChannels = channels, .channels = channels,
    .firstChannel = first, .outputChannels = more, .pixels = pixels, .zeroFill = pick(0, 1)};
  run(kernels->channelCopy, &copy, batch, 0);
  NNSpread spread = {
    .input = a, .planes = planes, .inputHeight = height, .inputWidth = width, .strideY = pick(1, 3),
    .strideX = pick(1, 3)};
  spread.outputHeight = (height - 1) * spread.strideY + 1 + pick(0, 2);
  spread.outputWidth = (width - 1) * spread.strideX + 1 + pick(0, 2);
  spread.output = floats(planes * 8 * spread.outputHeight * spread.outputWidth);
  run(kernels->spread, &spread, planes, 0);
  check("spread", spread.output, planes * 8 * spread.outputHeight * spread.outputWidth);
  free(spread.output), free(a), free(b), free(output), free(plain), free(scale), free(shift), free(means), free(wide);
}

int main(int count, char **words) {
  const long rounds = count > 1 ? atol(words[1]) : 300;
  const char *names[] = {"baseline", "avx2", "avx512"};
  for (int set = 0; set < 3; set++) {
    const NNKernels *kernels = nnKernelsNamed(names[set]);
    if (!kernels) continue;
    for (long round = 0; round < rounds; round++)
      convolution(kernels), depthwise(kernels), dense(kernels), pooling(kernels), passes(kernels),
        training(kernels);
    printf("%s: %ld kernel runs, nothing found\n", kernels->name, runs);
  }
}
