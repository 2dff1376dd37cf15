// Direct convolution: a matrix product of pixels by filters whose left side is read where it lies.
//
// A task has a strip of output pixels of one image and group, and some panels of 16 output channels. Where there is
// padding, the input's rows are first copied into scratch with zeros around them, so that every tile is alike.

// Sums longer than this are cut, so that a panel of weights stays in the first-level cache.
enum { INNER_CHUNK = 384 };

static void copyBlockedRows(const NNConvolution *c, const float *input, NNInt firstRow, NNInt rows, float *copy) {
  NNInt width = nnSpanX(c), before = least(c->padLeft, width);
  NNInt valid = least(c->inputWidth, width - before);
  NNInt after = width - before - valid;
  for (NNInt block = 0; block < c->inputBlocks; block++) {
    const float *plane = input + block * c->inputHeight * c->inputWidth * 8;
    for (NNInt r = 0; r < rows; r++, copy += width * 8) {
      NNInt y = firstRow + r;
      if (y < 0 || y >= c->inputHeight) {
        memset(copy, 0, (size_t)width * 32);
        continue;
      }
      memset(copy, 0, (size_t)before * 32);
      memcpy(copy + before * 8, plane + y * c->inputWidth * 8, (size_t)valid * 32);
      memset(copy + (before + valid) * 8, 0, (size_t)after * 32);
    }
  }
}

static void copyPlainRows(const NNConvolution *c, const float *input, NNInt firstRow, NNInt rows, float *copy) {
  NNInt width = nnSpanX(c), lanes = nnPixelChannels(c), blocks = nnPixelBlocks(c);
  for (NNInt block = 0; block < blocks; block++) {
    NNInt channels = least(lanes, c->plainChannels - block * lanes);
    const float *plane = input + block * lanes * c->channelStride;
    for (NNInt r = 0; r < rows; r++, copy += width * lanes) {
      NNInt y = firstRow + r;
      NNInt x0 = least(c->padLeft, width), x1 = most(x0, least(width, c->inputWidth + c->padLeft));
      if (y < 0 || y >= c->inputHeight) x0 = x1 = width;
      memset(copy, 0, (size_t)(x0 * lanes) * 4);
      memset(copy + x1 * lanes, 0, (size_t)((width - x1) * lanes) * 4);
      const float *from = plane + y * c->rowStride + (x0 - c->padLeft) * c->pixelStride;
      float *to = copy + x0 * lanes;
      if (lanes == 3) {
        NNInt step = c->pixelStride, channel = c->channelStride;
        for (NNInt x = x0; x < x1; x++, to += 3, from += step) {
          to[0] = from[0];
          to[1] = from[channel];
          to[2] = from[2 * channel];
        }
        continue;
      }
      for (NNInt x = x0; x < x1; x++, to += lanes, from += c->pixelStride) {
        for (NNInt lane = 0; lane < channels; lane++) to[lane] = from[lane * c->channelStride];
        for (NNInt lane = channels; lane < lanes; lane++) to[lane] = 0;
      }
    }
  }
}

// A strip of output pixels: where its rows of the left side begin, and where each sum goes on.
typedef struct Strip {
  const float *base;
  const int32_t *offsets, *segments;
  NNInt segmentCount, run, image, group, firstPixel, pixelCount;
} Strip;

// The strip by the panels from `firstPanel` on, whose weights lie at `weights`.
static void multiplyPanels(
  const NNConvolution *c, const Strip *s, NNInt firstPanel, NNInt lastPanel, const float *weights
) {
  NNInt pixels = c->outputHeight * c->outputWidth, inner = s->segmentCount * s->run;
  NNInt parts = nnCeilDivide(s->segmentCount, most(1, INNER_CHUNK / s->run));
  NNInt firstBlock = s->group * c->outputBlocks, outputBlocks = c->groups * c->outputBlocks;
  for (NNInt part = 0; part < parts; part++) {
    NNInt firstSegment = s->segmentCount * part / parts, lastSegment = s->segmentCount * (part + 1) / parts;
    for (NNInt panel = firstPanel; panel < lastPanel; panel++) {
      int wide = panel * 2 + 1 < c->outputBlocks;
      NNInt height = wide ? MAX_HEIGHT : MAX_HEIGHT_8;
      NNInt tiles = nnCeilDivide(s->pixelCount, height), width = wide ? 16 : 8;
      NNInt at = ((s->image * outputBlocks + firstBlock + panel * 2) * pixels + s->firstPixel) * 8;
      float *output = c->output + at;
      const float *residual = c->residual && part == parts - 1 ? c->residual + at : 0;
      const float *b = weights + (panel - firstPanel) * 16 * inner + firstSegment * s->run * width;
      Tile16 tile = {
        s->segments + firstSegment, lastSegment - firstSegment, s->run, 8, pixels * 8, 0,
        c->bias ? c->bias + (firstBlock + panel * 2) * 8 : 0, part > 0, c->relu && part == parts - 1};
      // What is read next is fetched meanwhile: two tiles fetch the next weights, a half each. Where the input is read
      // for the first time and lies in pieces, each tile fetches the next one's before that.
      NNInt size = tile.segmentCount * s->run * width;
      const float *next = panel + 1 < lastPanel ? b + 16 * inner : weights + lastSegment * s->run * width;
      NNInt inputTiles = panel == firstPanel && s->run == 8 && tiles > 12 && tile.segmentCount > 1 ? tiles - 2 : 0;
      for (NNInt i = 0; i < tiles; i++) {
        NNInt q = s->pixelCount * i / tiles, end = s->pixelCount * (i + 1) / tiles, m = end - q;
        const float *added = residual ? residual + q * 8 : 0, *ahead = 0;
        tile.pace = 0;
        if (i < inputTiles) {
          ahead = s->base + s->offsets[end] + tile.segments[0];
          tile.pace = tile.segments[1] - tile.segments[0];
        } else if (i < inputTiles + 2) {
          ahead = next + (i - inputTiles) * size / 2;
          tile.pace = width * 4;
        }
        if (wide) {
          indirectOf16[m](&tile, s->base, s->offsets + q, b, output + q * 8, added, ahead);
        } else {
          indirectOf8[m]((const Tile8 *)&tile, s->base, s->offsets + q, b, output + q * 8, added, ahead);
        }
      }
    }
  }
}

static void packPanel(const NNPack *p, NNInt group, NNInt panel, float *packed);

// With `pack`, the weights are plain, and each panel is packed where it is used.
static void directConvolution(const NNConvolution *c, const NNPack *pack, NNInt task, float *scratch) {
  NNInt pixels = c->outputHeight * c->outputWidth;
  NNInt strips = nnCeilDivide(pixels, c->strip), panelCount = nnPanels(c);
  NNInt chunks = nnCeilDivide(panelCount, c->panels);
  NNInt chunk = task % chunks;
  task /= chunks;
  NNInt firstPixel = task % strips * c->strip;
  task /= strips;
  NNInt group = task % c->groups, image = task / c->groups;
  NNInt pixelCount = least(c->strip, pixels - firstPixel);
  NNInt firstPanel = chunk * c->panels, lastPanel = least(firstPanel + c->panels, panelCount);

  int32_t *offsets = (int32_t *)scratch, *segments = offsets + c->strip;
  NNInt segmentCount = nnSegments(c);
  NNInt lanes = nnPixelChannels(c), blocks = nnPixelBlocks(c);
  NNInt firstY = firstPixel / c->outputWidth, lastY = (firstPixel + pixelCount - 1) / c->outputWidth;
  NNInt rowStride, blockStride;
  const float *base;
  if (nnCopiesInput(c)) {
    float *copy = scratch + ((c->strip + segmentCount + 23) & ~(NNInt)15);
    NNInt rows = nnSpanY(c, lastY - firstY + 1), firstRow = firstY * c->strideY - c->padTop;
    rowStride = nnSpanX(c) * lanes;
    blockStride = rows * rowStride;
    if (c->plainChannels > 0) {
      copyPlainRows(c, c->input + image * c->imageStride, firstRow, rows, copy);
    } else {
      const float *input = c->input + (image * c->groups + group) * c->inputBlocks * c->inputHeight * c->inputWidth * 8;
      copyBlockedRows(c, input, firstRow, rows, copy);
    }
    base = copy;
  } else {
    rowStride = c->inputWidth * 8;
    blockStride = c->inputHeight * rowStride;
    base = c->input + (image * c->groups + group) * c->inputBlocks * blockStride + firstY * c->strideY * rowStride;
  }
  for (NNInt q = 0, x = firstPixel % c->outputWidth, y = 0; q < pixelCount; q++) {
    offsets[q] = (int32_t)(y * c->strideY * rowStride + x * c->strideX * lanes);
    if (++x == c->outputWidth) {
      x = 0;
      y++;
    }
  }
  NNInt run = lanes, columns = c->kernelWidth;
  if (c->dilationX == 1) {
    run *= columns;
    columns = 1;
  }
  NNInt s = 0;
  for (NNInt block = 0; block < blocks; block++) {
    for (NNInt y = 0; y < c->kernelHeight; y++) {
      for (NNInt x = 0; x < columns; x++) {
        segments[s++] = (int32_t)(block * blockStride + y * c->dilationY * rowStride + x * c->dilationX * lanes);
      }
    }
  }
  Strip strip = {base, offsets, segments, segmentCount, run, image, group, firstPixel, pixelCount};
  NNInt inner = nnInner(c);
  if (pack) {
    float *packed = scratch + nnConvolutionScratch(c);
    for (NNInt panel = firstPanel; panel < lastPanel; panel++) {
      packPanel(pack, group, panel, packed);
      multiplyPanels(c, &strip, panel, panel + 1, packed);
    }
  } else {
    multiplyPanels(c, &strip, firstPanel, lastPanel, c->weights + (group * c->outputBlocks * 8 + firstPanel * 16) * inner);
  }
}

/// Where the weight lies that a merged group's `channel` has for its filter `local`; -1 for the zeros between groups.
INLINE NNInt weightPlace(const NNPack *p, NNInt group, NNInt local, NNInt channel) {
  NNInt groupFilters = p->filters / p->groups, merged = p->groups / p->shape.groups;
  NNInt filter = group * merged * groupFilters + local;
  if (local >= merged * groupFilters || filter >= p->filters) return -1;
  NNInt own = channel - local / groupFilters * p->groupChannels;
  if (own < 0 || own >= p->groupChannels) return -1;
  return filter * p->filterStride + filter / groupFilters * p->groupStride + own * p->channelStride;
}

// A panel of an ungrouped convolution: every filter's weights lie in a row, 8 rows are turned at a time.
static void packPlainPanel(const NNPack *p, NNInt firstFilter, NNInt width, float *packed) {
  const NNConvolution *c = &p->shape;
  NNInt lanes = nnPixelChannels(c), taps = c->kernelHeight * c->kernelWidth, count = p->groupChannels * taps;
  memset(packed + p->groupChannels / lanes * lanes * taps * width, 0,
         (size_t)((nnInner(c) - p->groupChannels / lanes * lanes * taps) * width) * 4);
  for (NNInt half = 0; half < width; half += 8) {
    NNInt filters = least(8, p->filters - firstFilter - half), block = 0, lane = 0, tap = 0;
    const float *rows = p->input + (firstFilter + half) * p->filterStride;
    d8 scale = 1;
    for (NNInt i = 0; p->scale && i < filters; i++) scale[i] = p->scale[firstFilter + half + i];
    for (NNInt first = 0; first < count; first += 8) {
      f8 r[8];
      NNInt columns = least(8, count - first);
      for (int i = 0; i < 8; i++) {
        r[i] = 0;
        if (i >= filters) continue;
        if (columns == 8) {
          r[i] = load8(rows + i * p->filterStride + first);
        } else {
          for (NNInt j = 0; j < columns; j++) r[i][j] = rows[i * p->filterStride + first + j];
        }
      }
      transpose8(r);
      UNROLL for (int j = 0; j < 8; j++) {
        if (j < columns) {
          f8 v = p->scale ? __builtin_convertvector(__builtin_convertvector(r[j], d8) * scale, f8) : r[j];
          store8(packed + ((block * taps + tap) * lanes + lane) * width + half, v);
          if (++tap == taps) {
            tap = 0;
            if (++lane == lanes) {
              lane = 0;
              block++;
            }
          }
        }
      }
    }
  }
}

static void packPanel(const NNPack *p, NNInt group, NNInt panel, float *packed) {
  const NNConvolution *c = &p->shape;
  NNInt lanes = nnPixelChannels(c), blocks = nnPixelBlocks(c), taps = c->kernelHeight * c->kernelWidth;
  NNInt width = panel * 2 + 1 < c->outputBlocks ? 16 : 8;
  NNInt firstFilter = group * (p->groups / c->groups) * (p->filters / p->groups) + panel * 16;
  if (p->groups == 1 && !p->reversed && p->channelStride == taps) {
    packPlainPanel(p, firstFilter, width, packed);
    return;
  }
  for (NNInt block = 0; block < blocks; block++) {
    for (NNInt lane = 0; lane < lanes; lane++) {
      for (NNInt column = 0; column < width; column++) {
        NNInt place = weightPlace(p, group, panel * 16 + column, block * lanes + lane);
        float *to = packed + (block * taps * lanes + lane) * width + column;
        for (NNInt tap = 0; tap < taps; tap++, to += lanes * width) {
          float w = place < 0 ? 0 : p->input[place + (p->reversed ? taps - 1 - tap : tap)];
          *to = place >= 0 && p->scale ? (float)(w * p->scale[firstFilter + column]) : w;
        }
      }
    }
  }
}

static void packDirect(const NNPack *p, NNInt task) {
  const NNConvolution *c = &p->shape;
  NNInt group = task / nnPanels(c), panel = task % nnPanels(c);
  packPanel(p, group, panel, p->output + (group * c->outputBlocks * 8 + panel * 16) * nnInner(c));
}

// A direct convolution of weights that are used once: `p->shape` is the convolution, `p->input` its plain weights.
static void convolutionOnce(const void *arguments, NNInt task, float *scratch) {
  const NNPack *p = arguments;
  directConvolution(&p->shape, p, task, scratch);
}
