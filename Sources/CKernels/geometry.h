// Sizes that the kernels, the packing and the planner all need, worked out once.
#ifndef GEOMETRY_H
#define GEOMETRY_H

#include "include/CKernels.h"

static inline NNInt nnCeilDivide(NNInt a, NNInt b) { return (a + b - 1) / b; }

/// Channels that lie together in a pixel of what the direct convolution reads.
static inline NNInt nnPixelChannels(const NNConvolution *c) {
  return c->plainChannels > 0 && c->plainChannels < 8 ? c->plainChannels : 8;
}

/// Blocks of such channels.
static inline NNInt nnPixelBlocks(const NNConvolution *c) {
  return c->plainChannels > 0 ? nnCeilDivide(c->plainChannels, 8) : c->inputBlocks;
}

/// The length of the sums of a direct convolution.
static inline NNInt nnInner(const NNConvolution *c) {
  return nnPixelBlocks(c) * nnPixelChannels(c) * c->kernelHeight * c->kernelWidth;
}

/// Input pixels in a row that the output's row reads.
static inline NNInt nnSpanX(const NNConvolution *c) {
  return (c->outputWidth - 1) * c->strideX + (c->kernelWidth - 1) * c->dilationX + 1;
}

/// Input rows that `rows` rows of output read.
static inline NNInt nnSpanY(const NNConvolution *c, NNInt rows) {
  return (rows - 1) * c->strideY + (c->kernelHeight - 1) * c->dilationY + 1;
}

/// Whether a strip of the input is copied into scratch: to add the padding, or to bring channels together.
static inline int nnCopiesInput(const NNConvolution *c) {
  return c->plainChannels > 0 || c->padTop != 0 || c->padLeft != 0 || nnSpanX(c) > c->inputWidth ||
    nnSpanY(c, c->outputHeight) > c->inputHeight;
}

/// Runs of contiguous channels in a sum: a row of the kernel, or one position of it when that is dilated.
static inline NNInt nnSegments(const NNConvolution *c) {
  return nnPixelBlocks(c) * c->kernelHeight * (c->dilationX == 1 ? 1 : c->kernelWidth);
}

/// Tiles of Winograd's output in a column and in a row.
static inline NNInt nnTilesY(const NNConvolution *c) { return nnCeilDivide(c->outputHeight, (NNInt)c->algorithm); }
static inline NNInt nnTilesX(const NNConvolution *c) { return nnCeilDivide(c->outputWidth, (NNInt)c->algorithm); }

/// Positions in a tile of Winograd's input.
static inline NNInt nnPositions(const NNConvolution *c) {
  return ((NNInt)c->algorithm + 2) * ((NNInt)c->algorithm + 2);
}

static inline NNInt nnPanels(const NNConvolution *c) { return nnCeilDivide(c->outputBlocks, 2); }

/// Winograd's scratch: the input as [tile][pair of blocks][position][16], the products as [panel][tile][position][16].
/// The odd 64 bytes after a tile keep tiles out of one cache set.
static inline NNInt nnTileInputStride(const NNConvolution *c) {
  return nnCeilDivide(c->inputBlocks, 2) * nnPositions(c) * 16 + 16;
}
static inline NNInt nnTileOutputStride(const NNConvolution *c) { return nnPositions(c) * 16 + 16; }

/// Whether so many floats are mostly beyond the second-level cache by the time that they are used again, so that it pays
/// to fetch them before their turn.
static inline int nnIsFar(NNInt floats) { return floats > 64 * 1024; }

/// The first row of a piece, of the rows that are here.
static inline NNInt nnPieceStart(const NNPieces *p, NNInt piece) {
  return p->rows * (p->first + piece) / p->of - p->rows * p->first / p->of;
}

/// Blocks of channels (or filters) of a bundle of groups.
static inline NNInt nnBundleBlocks(const NNFilterGradient *g, NNInt channels) {
  return nnCeilDivide(channels / g->bundles, 8);
}

/// Whether a filter gradient goes by Winograd's form. With few tiles a piece, the sums for 36 positions cost more than the
/// multiplications that they save.
static inline int nnGradientByTiles(const NNFilterGradient *g) {
  NNInt tiles = g->pieces.rows / g->pieces.of * nnCeilDivide(g->outputHeight, 4) * nnCeilDivide(g->outputWidth, 4);
  return tiles >= 24 && g->kernelHeight == 3 && g->kernelWidth == 3 && g->strideY == 1 && g->strideX == 1 &&
    g->dilationY == 1 && g->dilationX == 1 && g->channels / g->groups >= 8 && g->filters / g->groups >= 8;
}

/// A task's panels of 16 filters and blocks of channels: so many that its sums stay in a cache. By Winograd's form it has
/// scratch for some tiles besides: [tile][pair of blocks][position][16], an odd cache line after each tile.
enum { GRADIENT_TILES = 24 };
static inline NNInt nnGradientPanels(const NNFilterGradient *g) {
  return nnBundleBlocks(g, g->filters) > 2 && g->kernelHeight * g->kernelWidth <= 9 ? 2 : 1;
}
static inline NNInt nnGradientBlocks(const NNFilterGradient *g) {
  NNInt blocks = nnBundleBlocks(g, g->channels), taps = g->kernelHeight * g->kernelWidth;
  NNInt most = taps == 1 ? 6 : nnGradientByTiles(g) ? 4 : taps <= 9 ? 2 : 1;
  return blocks < most ? blocks : most;
}
static inline NNInt nnGradientInputStride(const NNFilterGradient *g) {
  return nnCeilDivide(nnGradientBlocks(g), 2) * 36 * 16 + 16;
}
static inline NNInt nnGradientOutputStride(const NNFilterGradient *g) { return nnGradientPanels(g) * 36 * 16 + 16; }

/// By pixels: channels of a pixel that are multiplied, output rows that go together, and the input that those read.
static inline NNInt nnGradientLanes(const NNFilterGradient *g) { return g->channels < 8 ? g->channels : 8; }
static inline NNInt nnGradientChunk(const NNFilterGradient *g) {
  NNInt rows = nnCeilDivide(112, g->outputWidth);
  return rows < g->outputHeight ? rows : g->outputHeight;
}
static inline NNInt nnGradientSpanX(const NNFilterGradient *g) {
  return (g->outputWidth - 1) * g->strideX + (g->kernelWidth - 1) * g->dilationX + 1;
}
static inline NNInt nnGradientSpanY(const NNFilterGradient *g, NNInt rows) {
  return (rows - 1) * g->strideY + (g->kernelHeight - 1) * g->dilationY + 1;
}
/// Whether those are copied: to add the padding, or to bring few channels together.
static inline int nnGradientCopies(const NNFilterGradient *g) {
  return g->padTop != 0 || g->padLeft != 0 || g->channels < 8 || nnGradientSpanX(g) > g->inputWidth ||
    nnGradientSpanY(g, g->outputHeight) > g->inputHeight;
}

/// A task of a product of a transposed left side: rows of the result, and rows that are summed before the next are read.
enum { PRODUCT_HEIGHT = 96, PRODUCT_ROWS = 64 };

/// The most inputs of a perceptron's unit: their sums stay in the first-level cache.
enum { PERCEPTRON_INNER = NN_PERCEPTRON_INNER };

#endif
