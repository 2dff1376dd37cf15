#include "geometry.h"

NNInt nnConvolutionTasks(const NNConvolution *c) {
  NNInt chunks = nnCeilDivide(nnPanels(c), c->panels);
  if (c->algorithm == NN_DIRECT) {
    return c->batch * c->groups * nnCeilDivide(c->outputHeight * c->outputWidth, c->strip) * chunks;
  }
  return c->groups * nnCeilDivide(c->batch * nnTilesY(c) * nnTilesX(c), c->strip) * chunks;
}

NNInt nnConvolutionScratch(const NNConvolution *c) {
  if (c->algorithm != NN_DIRECT) {
    return c->strip * (nnTileInputStride(c) + nnTileOutputStride(c) * c->panels);
  }
  NNInt floats = c->strip + nnSegments(c) + 32;
  if (nnCopiesInput(c)) {
    NNInt rows = nnCeilDivide(c->strip, c->outputWidth) + 1;
    if (rows > c->outputHeight) rows = c->outputHeight;
    floats += nnPixelBlocks(c) * nnSpanY(c, rows) * nnSpanX(c) * nnPixelChannels(c);
  }
  return floats;
}

NNInt nnConvolutionOnceScratch(const NNPack *p) { return nnConvolutionScratch(&p->shape) + 16 * nnInner(&p->shape); }

NNInt nnConvolutionWeights(const NNConvolution *c) {
  NNInt inner = c->algorithm == NN_DIRECT ? nnInner(c) : nnPositions(c) * c->inputBlocks * 8;
  return c->groups * inner * c->outputBlocks * 8;
}

NNInt nnDepthwiseTasks(const NNDepthwise *d) {
  return d->batch * d->blocks * nnCeilDivide(d->outputHeight, d->rows);
}

NNInt nnDepthwiseScratch(const NNDepthwise *d) {
  NNInt rows = (d->rows - 1) * d->strideY + (d->kernelHeight - 1) * d->dilationY + 1;
  NNInt width = (d->outputWidth - 1) * d->strideX + (d->kernelWidth - 1) * d->dilationX + 1;
  return rows * width * 8 + 16;
}

NNInt nnDenseTasks(const NNDense *d) {
  return nnCeilDivide(d->rows, d->rowsPerTask) * nnCeilDivide(nnCeilDivide(d->columns, 16), d->panels);
}

NNInt nnDenseWeights(NNInt inner, NNInt columns) { return inner * nnCeilDivide(columns, 16) * 16; }

NNInt nnPackTasks(const NNConvolution *c) { return c->groups * nnPanels(c); }

int nnFilterGradientByTiles(const NNFilterGradient *g) { return nnGradientByTiles(g); }

NNInt nnFilterGradientTasks(const NNFilterGradient *g) {
  NNInt panels = nnCeilDivide(nnBundleBlocks(g, g->filters), 2), blocks = nnBundleBlocks(g, g->channels);
  return g->pieces.count * g->bundles * nnCeilDivide(panels, nnGradientPanels(g)) * nnCeilDivide(blocks, nnGradientBlocks(g));
}

NNInt nnFilterGradientScratch(const NNFilterGradient *g) {
  NNInt panels = nnGradientPanels(g), blocks = nnGradientBlocks(g), lanes = nnGradientLanes(g);
  if (nnGradientByTiles(g)) {
    return 36 * blocks * 8 * panels * 16 + GRADIENT_TILES * (nnGradientInputStride(g) + nnGradientOutputStride(g));
  }
  NNInt across = blocks * g->kernelWidth * lanes, floats = panels * g->kernelHeight * across * 16 + across;
  if (nnGradientCopies(g)) floats += blocks * nnGradientSpanY(g, nnGradientChunk(g)) * nnGradientSpanX(g) * lanes;
  return floats + 16;
}

NNInt nnProductTasks(const NNProduct *p) {
  return p->pieces.count * nnCeilDivide(p->columns, 16) * nnCeilDivide(p->height, PRODUCT_HEIGHT);
}

NNInt nnProductScratch(void) { return (PRODUCT_HEIGHT + PRODUCT_ROWS) * 16; }
