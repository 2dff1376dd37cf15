// The gradient of a convolution's weights, over pieces of the batch: each piece's sum is computed on its own, and
// `combine` adds them. Input and gradient are blocked; groups that do not fill blocks are merged and only the weights that
// there are are kept.

// What a task of a piece has to do: a bundle of merged groups, some panels of 16 of its filters, some of its blocks.
typedef struct GradientTask {
  NNInt firstImage, lastImage;
  NNInt bundle, panel, panels, block, blocks;
  float *output;
} GradientTask;

INLINE GradientTask gradientTask(const NNFilterGradient *p, NNInt task) {
  GradientTask t;
  NNInt panels = nnGradientPanels(p), blocks = nnGradientBlocks(p);
  NNInt panelCount = nnCeilDivide(nnBundleBlocks(p, p->filters), 2), blockCount = nnBundleBlocks(p, p->channels);
  NNInt chunks = nnCeilDivide(blockCount, blocks), panelChunks = nnCeilDivide(panelCount, panels);
  t.block = task % chunks * blocks;
  t.blocks = least(blocks, blockCount - t.block);
  task /= chunks;
  t.panel = task % panelChunks * panels;
  t.panels = least(panels, panelCount - t.panel);
  task /= panelChunks;
  t.bundle = task % p->bundles;
  NNInt piece = task / p->bundles;
  t.firstImage = nnPieceStart(&p->pieces, piece);
  t.lastImage = nnPieceStart(&p->pieces, piece + 1);
  t.output = p->output + piece * p->filters * (p->channels / p->groups) * p->kernelHeight * p->kernelWidth;
  return t;
}

// Where the weights of a bundle's filter and channel begin; null for the zeros between merged groups.
INLINE float *gradientPlace(const NNFilterGradient *p, const GradientTask *t, NNInt filter, NNInt channel) {
  NNInt filters = p->filters / p->bundles, channels = p->channels / p->bundles;
  NNInt groupFilters = p->filters / p->groups, groupChannels = p->channels / p->groups;
  if (filter >= filters || channel >= channels) return 0;
  NNInt own = channel - filter / groupFilters * groupChannels;
  if (own < 0 || own >= groupChannels) return 0;
  return t->output + ((t->bundle * filters + filter) * groupChannels + own) * p->kernelHeight * p->kernelWidth;
}

// A y: the transposed output transform of Winograd's F(4x4, 3x3), for the columns of a row or the rows of a column.
INLINE void spread4(const f8 y[4], f8 w[6]) {
  const float a3 = pointA * 0.5f, b3 = pointB * 2.0f;
  f8 ea = y[0] + 0.5f * y[2], oa = pointA * y[1] + a3 * y[3];
  f8 eb = y[0] + 2.0f * y[2], ob = pointB * y[1] + b3 * y[3];
  w[0] = y[0];
  w[1] = ea + oa;
  w[2] = ea - oa;
  w[3] = eb + ob;
  w[4] = eb - ob;
  w[5] = y[3];
}

// A Y A^T of the tile of a plane that begins at (y0, x0), zeros where it sticks out; positions 16 floats apart.
INLINE void spreadTile(const float *plane, NNInt height, NNInt width, NNInt y0, NNInt x0, float *edge, float *to) {
  static const float zeros[4 * 8];
  const float *row[4];
  NNInt columns = least(4, width - x0);
  UNROLL for (int i = 0; i < 4; i++) {
    row[i] = y0 + i < height ? plane + ((y0 + i) * width + x0) * 8 : zeros;
    if (columns < 4 && y0 + i < height) {
      for (NNInt j = 0; j < 4; j++) store8(edge + (i * 4 + j) * 8, j < columns ? load8(row[i] + j * 8) : (f8)0);
      row[i] = edge + i * 32;
    }
  }
  f8 half[6][4];
  UNROLL for (int j = 0; j < 4; j++) {
    f8 y[4], w[6];
    UNROLL for (int i = 0; i < 4; i++) y[i] = load8(row[i] + j * 8);
    spread4(y, w);
    UNROLL for (int i = 0; i < 6; i++) half[i][j] = w[i];
  }
  UNROLL for (int i = 0; i < 6; i++) {
    f8 w[6];
    spread4(half[i], w);
    UNROLL for (int j = 0; j < 6; j++) store8(to + (i * 6 + j) * 16, w[j]);
  }
}

// G^T u, the way back of the weights' transform.
INLINE void filterRestore(const f16 u[6], f16 g[3]) {
  f16 sa = (u[1] + u[2]) * (-2.0f / 3), da = (u[1] - u[2]) * (-2.0f / 3 * pointA);
  f16 sb = (u[3] + u[4]) * (1.0f / 6), db = (u[3] - u[4]) * (pointB / 6);
  g[0] = u[0] + sa + sb;
  g[1] = da + db;
  g[2] = 0.5f * sa + 2.0f * sb + u[5];
}

// The sums of 36 positions for 16 filters and one channel, [position] `step` floats apart, to 3x3 weights.
static void restoreFilters(const NNFilterGradient *p, const GradientTask *t, const float *sums, NNInt step, NNInt panel,
                           NNInt channel) {
  f16 columns[6][3];
  for (int j = 0; j < 6; j++) {
    f16 u[6];
    for (int i = 0; i < 6; i++) u[i] = load16(sums + (i * 6 + j) * step);
    filterRestore(u, columns[j]);
  }
  f16 weights[9];
  for (int i = 0; i < 3; i++) {
    f16 u[6];
    for (int j = 0; j < 6; j++) u[j] = columns[j][i];
    filterRestore(u, weights + i * 3);
  }
  for (NNInt f = 0; f < 16; f++) {
    float *to = gradientPlace(p, t, panel * 16 + f, channel);
    for (int tap = 0; to && tap < 9; tap++) to[tap] = weights[tap][f];
  }
}

// The filter gradient of a 3x3 convolution as the gradient of Winograd's form: the input's and the result's tiles
// transformed, multiplied position by position and summed over all tiles, and the sums transformed back.
static void filterGradientByTiles(const NNFilterGradient *p, NNInt task, float *scratch) {
  GradientTask t = gradientTask(p, task);
  NNInt inputBlocks = p->bundles * nnBundleBlocks(p, p->channels);
  NNInt bundleOutputs = nnBundleBlocks(p, p->filters), outputBlocks = p->bundles * bundleOutputs;
  NNInt inputPlane = p->inputHeight * p->inputWidth * 8, plane = p->outputHeight * p->outputWidth * 8;
  NNInt tilesX = nnCeilDivide(p->outputWidth, 4), tilesY = nnCeilDivide(p->outputHeight, 4);
  NNInt total = (t.lastImage - t.firstImage) * tilesY * tilesX;
  NNInt inputStride = nnGradientInputStride(p), gradientStride = nnGradientOutputStride(p);
  NNInt firstOutput = t.bundle * bundleOutputs + t.panel * 2, firstInput = t.bundle * (inputBlocks / p->bundles) + t.block;
  // sums: [position][block][channel][panel][16]
  NNInt row = t.panels * 16, area = t.blocks * 8 * row;
  float *sums = scratch, *gradients = sums + 36 * nnGradientBlocks(p) * 8 * nnGradientPanels(p) * 16;
  float *inputs = gradients + GRADIENT_TILES * gradientStride;
  float edge[6 * 6 * 8];
  memset(sums, 0, (size_t)(36 * area) * 4);
  // Odd blocks at the end leave half of a pair unwritten: what is multiplied there must be finite.
  memset(gradients, 0, (size_t)(GRADIENT_TILES * gradientStride) * 4);
  NNInt tx = 0, ty = 0, image = t.firstImage;
  for (NNInt first = 0; first < total; first += GRADIENT_TILES) {
    NNInt tiles = least(GRADIENT_TILES, total - first);
    for (NNInt i = 0; i < tiles; i++) {
      NNInt outputs = least(t.panels * 2, bundleOutputs - t.panel * 2), y = ty * 4, x = tx * 4;
      const float *g = p->gradient + (image * outputBlocks + firstOutput) * plane;
      const float *v = p->input + (image * inputBlocks + firstInput) * inputPlane;
      nextTile(&tx, &ty, &image, tilesX, tilesY);
      const float *nextG = p->gradient + (image * outputBlocks + firstOutput) * plane;
      const float *nextV = p->input + (image * inputBlocks + firstInput) * inputPlane;
      for (NNInt block = 0; block < outputs; block++) {
        fetchTile(4, nextG + block * plane, p->outputHeight, p->outputWidth, ty * 4, tx * 4);
        spreadTile(
          g + block * plane, p->outputHeight, p->outputWidth, y, x, edge,
          gradients + i * gradientStride + block / 2 * 36 * 16 + block % 2 * 8);
      }
      for (NNInt block = 0; block < t.blocks; block++) {
        fetchTile(
          6, nextV + block * inputPlane, p->inputHeight, p->inputWidth, ty * 4 - p->padTop, tx * 4 - p->padLeft + 1);
        transformTile(
          4, v + block * inputPlane, p->inputHeight, p->inputWidth, y - p->padTop, x - p->padLeft, edge,
          inputs + i * inputStride + block / 2 * 36 * 16 + block % 2 * 8);
      }
    }
    for (NNInt position = 0; position < 36; position++) {
      for (NNInt panel = 0; panel < t.panels; panel++) {
        for (NNInt channel = 0; channel < t.blocks * 8; channel += 4) {
          const float *v = inputs + channel / 16 * 36 * 16 + position * 16 + channel % 16;
          const float *w = gradients + (panel * 36 + position) * 16;
          float *to = sums + position * area + channel * row + panel * 16;
          f16 sum[4];
          UNROLL for (int c = 0; c < 4; c++) sum[c] = load16(to + c * row);
          for (NNInt i = 0; i < tiles; i++, v += inputStride, w += gradientStride) {
            f16 right = load16(w);
            UNROLL for (int c = 0; c < 4; c++) sum[c] += v[c] * right;
          }
          UNROLL for (int c = 0; c < 4; c++) store16(to + c * row, sum[c]);
        }
      }
    }
  }
  for (NNInt panel = 0; panel < t.panels; panel++) {
    for (NNInt channel = 0; channel < t.blocks * 8; channel++) {
      restoreFilters(p, &t, sums + channel * row + panel * 16, area, t.panel + panel, t.block * 8 + channel);
    }
  }
}

// sums[m][16] += left at row m * right, over some rows of pixels; row m of the left side begins at left + offsets[m].
// Both sides' pixels of a chunk are near each other, so that all rows find them in the first-level cache.
typedef struct Outer {
  NNInt rows, columns;
  NNInt leftRow, leftPixel, rightRow, rightPixel, half;
} Outer;

#define FUNCTION(M) \
  static void outer_##M(const Outer *o, const float *left, const int32_t *offsets, const float *right, float *sums) { \
    f16 sum[M]; \
    const float *row[M]; \
    UNROLL for (int m = 0; m < M; m++) sum[m] = load16(sums + m * 16); \
    for (NNInt y = 0; y < o->rows; y++) { \
      UNROLL for (int m = 0; m < M; m++) row[m] = left + y * o->leftRow + offsets[m]; \
      const float *g = right + y * o->rightRow; \
      NNInt at = 0; \
      for (NNInt i = 0; i < o->columns; i++, at += o->leftPixel, g += o->rightPixel) { \
        f16 r; \
        r.lo = load8(g); \
        r.hi = load8(g + o->half); \
        UNROLL for (int m = 0; m < M; m++) sum[m] += row[m][at] * r; \
      } \
    } \
    UNROLL for (int m = 0; m < M; m++) store16(sums + m * 16, sum[m]); \
  }
FOR_EACH_HEIGHT(FUNCTION)
#undef FUNCTION

typedef void (*OuterFunction)(const Outer *, const float *, const int32_t *, const float *, float *);
#define ENTRY(M) outer_##M,
static const OuterFunction outerOf[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY

// As even pieces of the rows as can be, none with more rows than the registers hold.
INLINE void outerRows(const Outer *o, const float *left, const int32_t *offsets, NNInt rows, const float *right, float *sums) {
  NNInt parts = nnCeilDivide(rows, MAX_HEIGHT);
  for (NNInt part = 0; part < parts; part++) {
    NNInt m = rows * part / parts, height = rows * (part + 1) / parts - m;
    outerOf[height](o, left, offsets + m, right, sums + m * 16);
  }
}

// The input rows that a chunk of output rows reads, zeros around them, `lanes` channels a pixel.
static void copyGradientRows(const NNFilterGradient *p, const float *input, NNInt firstRow, NNInt rows, NNInt lanes, float *to) {
  NNInt width = nnGradientSpanX(p);
  NNInt x0 = least(p->padLeft, width), x1 = most(x0, least(width, p->inputWidth + p->padLeft));
  for (NNInt r = 0; r < rows; r++, to += width * lanes) {
    NNInt y = firstRow + r;
    if (y < 0 || y >= p->inputHeight) {
      memset(to, 0, (size_t)(width * lanes) * 4);
      continue;
    }
    const float *from = input + y * p->inputWidth * 8;
    memset(to, 0, (size_t)(x0 * lanes) * 4);
    if (lanes == 8) {
      memcpy(to + x0 * 8, from, (size_t)(x1 - x0) * 32);
    } else {
      for (NNInt x = x0; x < x1; x++) {
        for (NNInt lane = 0; lane < lanes; lane++) to[x * lanes + lane] = from[(x - x0) * 8 + lane];
      }
    }
    memset(to + x1 * lanes, 0, (size_t)((width - x1) * lanes) * 4);
  }
}

// As sums of outer products, pixel by pixel: for each row of the kernel, its columns and channels by 16 filters.
static void filterGradientByPixels(const NNFilterGradient *p, NNInt task, float *scratch) {
  GradientTask t = gradientTask(p, task);
  NNInt inputBlocks = p->bundles * nnBundleBlocks(p, p->channels);
  NNInt bundleOutputs = nnBundleBlocks(p, p->filters), outputBlocks = p->bundles * bundleOutputs;
  NNInt inputPlane = p->inputHeight * p->inputWidth * 8, plane = p->outputHeight * p->outputWidth * 8;
  NNInt lanes = nnGradientLanes(p), copies = nnGradientCopies(p), chunk = nnGradientChunk(p);
  NNInt width = copies ? nnGradientSpanX(p) : p->inputWidth, pixel = copies ? lanes : 8;
  NNInt rowsHeld = nnGradientSpanY(p, chunk), blockStride = copies ? rowsHeld * width * pixel : inputPlane;
  // The left side's rows: blocks, kernel columns, channels. 1x1 kernels have several blocks, others one.
  NNInt across = t.blocks * p->kernelWidth * lanes;
  NNInt panelSums = p->kernelHeight * across * 16;
  float *sums = scratch, *copy = sums + nnGradientPanels(p) * p->kernelHeight * nnGradientBlocks(p) * p->kernelWidth * lanes * 16;
  int32_t *offsets = (int32_t *)(copy + (copies ? nnGradientBlocks(p) * rowsHeld * width * lanes : 0));
  for (NNInt m = 0, block = 0; block < t.blocks; block++) {
    for (NNInt kx = 0; kx < p->kernelWidth; kx++) {
      for (NNInt lane = 0; lane < lanes; lane++) {
        offsets[m++] = (int32_t)(block * blockStride + kx * p->dilationX * pixel + lane);
      }
    }
  }
  memset(sums, 0, (size_t)(t.panels * panelSums) * 4);
  for (NNInt image = t.firstImage; image < t.lastImage; image++) {
    const float *x = p->input + (image * inputBlocks + t.bundle * (inputBlocks / p->bundles) + t.block) * inputPlane;
    const float *g = p->gradient + (image * outputBlocks + t.bundle * bundleOutputs + t.panel * 2) * plane;
    for (NNInt y = 0; y < p->outputHeight; y += chunk) {
      Outer outer = {
        least(chunk, p->outputHeight - y), p->outputWidth, p->strideY * width * pixel, p->strideX * pixel,
        p->outputWidth * 8, 8, 0};
      const float *base = x + y * p->strideY * width * pixel;
      if (copies) {
        for (NNInt block = 0; block < t.blocks; block++) {
          copyGradientRows(
            p, x + block * inputPlane, y * p->strideY - p->padTop, nnGradientSpanY(p, outer.rows), lanes,
            copy + block * blockStride);
        }
        base = copy;
      }
      for (NNInt panel = 0; panel < t.panels; panel++) {
        outer.half = (t.panel + panel) * 2 + 1 < bundleOutputs ? plane : 0;
        for (NNInt ky = 0; ky < p->kernelHeight; ky++) {
          outerRows(
            &outer, base + ky * p->dilationY * width * pixel, offsets, across,
            g + panel * 2 * plane + y * p->outputWidth * 8, sums + panel * panelSums + ky * across * 16);
        }
      }
    }
  }
  for (NNInt m = 0; m < across; m++) {
    NNInt channel = (t.block + m / (p->kernelWidth * lanes)) * 8 + m % lanes, kx = m / lanes % p->kernelWidth;
    for (NNInt f = 0; f < t.panels * 16; f++) {
      float *to = gradientPlace(p, &t, t.panel * 16 + f, channel);
      const float *sum = sums + f / 16 * panelSums + m * 16 + f % 16;
      for (NNInt ky = 0; to && ky < p->kernelHeight; ky++) to[ky * p->kernelWidth + kx] = sum[ky * across * 16];
    }
  }
}

static void filterGradient(const void *arguments, NNInt task, float *scratch) {
  const NNFilterGradient *p = arguments;
  if (nnGradientByTiles(p)) {
    filterGradientByTiles(p, task, scratch);
  } else {
    filterGradientByPixels(p, task, scratch);
  }
}

// The gradient of a depthwise convolution's weights: [piece][channels][kernel...].
static void depthwiseGradient(const void *arguments, NNInt task, float *scratch) {
  const NNFilterGradient *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), block = task % blocks, piece = task / blocks;
  NNInt inputPlane = p->inputHeight * p->inputWidth * 8, plane = p->outputHeight * p->outputWidth * 8;
  NNInt taps = p->kernelHeight * p->kernelWidth;
  NNInt last = nnPieceStart(&p->pieces, piece + 1);
  memset(scratch, 0, (size_t)(taps * 8) * 4);
  for (NNInt image = nnPieceStart(&p->pieces, piece); image < last; image++) {
    const float *input = p->input + (image * blocks + block) * inputPlane;
    const float *gradient = p->gradient + (image * blocks + block) * plane;
    for (NNInt ky = 0; ky < p->kernelHeight; ky++) {
      NNInt shiftY = ky * p->dilationY - p->padTop;
      for (NNInt kx = 0; kx < p->kernelWidth; kx++) {
        NNInt shiftX = kx * p->dilationX - p->padLeft;
        NNInt firstX = shiftX < 0 ? nnCeilDivide(-shiftX, p->strideX) : 0;
        NNInt lastX = shiftX >= p->inputWidth ? 0 : least(p->outputWidth, (p->inputWidth - 1 - shiftX) / p->strideX + 1);
        f8 s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (NNInt y = 0; y < p->outputHeight; y++) {
          NNInt inputY = y * p->strideY + shiftY, step = p->strideX * 8, i = firstX;
          if (inputY < 0 || inputY >= p->inputHeight) continue;
          const float *x = input + (inputY * p->inputWidth + firstX * p->strideX + shiftX) * 8;
          const float *g = gradient + (y * p->outputWidth + firstX) * 8;
          for (; i + 4 <= lastX; i += 4, x += 4 * step, g += 32) {
            s0 += load8(x) * load8(g);
            s1 += load8(x + step) * load8(g + 8);
            s2 += load8(x + 2 * step) * load8(g + 16);
            s3 += load8(x + 3 * step) * load8(g + 24);
          }
          for (; i < lastX; i++, x += step, g += 8) s0 += load8(x) * load8(g);
        }
        float *sum = scratch + (ky * p->kernelWidth + kx) * 8;
        store8(sum, load8(sum) + ((s0 + s1) + (s2 + s3)));
      }
    }
  }
  float *output = p->output + (piece * p->channels + block * 8) * taps;
  for (NNInt lane = 0; lane < least(8, p->channels - block * 8); lane++) {
    for (NNInt tap = 0; tap < taps; tap++) output[lane * taps + tap] = scratch[tap * 8 + lane];
  }
}

// The sum of all pieces' floats by a binary tree: neighbours first, then neighbours of those. `output` may be the first.
static void combine(const void *arguments, NNInt task, float *scratch) {
  const NNCombine *p = arguments;
  NNInt first = task * p->countPerTask, last = least(first + p->countPerTask, p->count);
  for (NNInt i = first; i < last; i += 8) {
    NNInt lanes = least(8, last - i);
    f8 part[8];
    for (NNInt piece = 0; piece < p->pieces; piece++) {
      const float *from = p->input + piece * p->count + i;
      part[piece] = 0;
      if (lanes == 8) {
        part[piece] = load8(from);
      } else {
        for (NNInt lane = 0; lane < lanes; lane++) part[piece][lane] = from[lane];
      }
    }
    for (NNInt step = 1; step < p->pieces; step *= 2) {
      for (NNInt piece = 0; piece + step < p->pieces; piece += 2 * step) part[piece] += part[piece + step];
    }
    if (lanes == 8) {
      store8(p->output + i, part[0]);
    } else {
      for (NNInt lane = 0; lane < lanes; lane++) p->output[i + lane] = part[0][lane];
    }
  }
}

static void combineDoubles(const void *arguments, NNInt task, float *scratch) {
  const NNCombineDoubles *p = arguments;
  for (NNInt i = 0; i < p->count; i++) {
    double part[8];
    for (NNInt piece = 0; piece < p->pieces; piece++) part[piece] = p->input[piece * p->count + i];
    for (NNInt step = 1; step < p->pieces; step *= 2) {
      for (NNInt piece = 0; piece + step < p->pieces; piece += 2 * step) part[piece] += part[piece + step];
    }
    p->output[i] = part[0];
    if (p->narrowed && i < p->narrowedCount) p->narrowed[i] = (float)part[0];
  }
}
