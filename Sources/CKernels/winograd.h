// Convolution by 3x3 kernels with stride 1 by Winograd's minimal filtering (Lavin and Gray 2015): F(4x4, 3x3) with the
// points 0, +-a, +-b, infinity where a = sqrt(1/2) and b = sqrt(2), which err less than +-1, +-2; and F(2x2, 3x3) with
// 0, +-1, infinity.
//
// A task has `strip` tiles (of all images, counted on) and some panels of 16 output channels. It transforms its tiles'
// input into scratch; multiplies each position by that position's weights, panel by panel, the input staying in the
// first-level cache; and transforms back, adding bias and residual. The weights lie as they are read: [position][panel]
// [channel][filter].

static const float pointA = 0.70710678118654752f, pointB = 1.4142135623730950f;

INLINE void inputTransform4(const float *const row[6], float *v) {
  const int stride = 16;
  // B^T d B in groups of rows that share their terms; d[i][j] is at row[i] + 8 * j.
  f8 r[6], q[6];
#define COLUMNS(r) \
  do { \
    f8 e1 = r[4] - 2.0f * r[2], o1 = r[3] - 2.0f * r[1], e2 = r[4] - 0.5f * r[2], o2 = r[3] - 0.5f * r[1]; \
    store8(v, (r[0] + r[4]) - 2.5f * r[2]); \
    store8(v + stride, e1 + pointA * o1); \
    store8(v + 2 * stride, e1 - pointA * o1); \
    store8(v + 3 * stride, e2 + pointB * o2); \
    store8(v + 4 * stride, e2 - pointB * o2); \
    store8(v + 5 * stride, (r[1] + r[5]) - 2.5f * r[3]); \
    v += 6 * stride; \
  } while (0)
#define AT(i) load8(row[i] + 8 * j)
  UNROLL for (int j = 0; j < 6; j++) r[j] = (AT(0) + AT(4)) - 2.5f * AT(2);
  COLUMNS(r);
  UNROLL for (int j = 0; j < 6; j++) {
    f8 e = AT(4) - 2.0f * AT(2), o = AT(3) - 2.0f * AT(1);
    r[j] = e + pointA * o;
    q[j] = e - pointA * o;
  }
  COLUMNS(r);
  COLUMNS(q);
  UNROLL for (int j = 0; j < 6; j++) {
    f8 e = AT(4) - 0.5f * AT(2), o = AT(3) - 0.5f * AT(1);
    r[j] = e + pointB * o;
    q[j] = e - pointB * o;
  }
  COLUMNS(r);
  COLUMNS(q);
  UNROLL for (int j = 0; j < 6; j++) r[j] = (AT(1) + AT(5)) - 2.5f * AT(3);
  COLUMNS(r);
#undef COLUMNS
}

INLINE void inputTransform2(const float *const row[4], float *v) {
  const int stride = 16;
  f8 r[4];
#define COLUMNS(r) \
  do { \
    store8(v, r[0] - r[2]); \
    store8(v + stride, r[1] + r[2]); \
    store8(v + 2 * stride, r[2] - r[1]); \
    store8(v + 3 * stride, r[3] - r[1]); \
    v += 4 * stride; \
  } while (0)
  UNROLL for (int j = 0; j < 4; j++) r[j] = AT(0) - AT(2);
  COLUMNS(r);
  UNROLL for (int j = 0; j < 4; j++) r[j] = AT(1) + AT(2);
  COLUMNS(r);
  UNROLL for (int j = 0; j < 4; j++) r[j] = AT(2) - AT(1);
  COLUMNS(r);
  UNROLL for (int j = 0; j < 4; j++) r[j] = AT(3) - AT(1);
  COLUMNS(r);
#undef COLUMNS
#undef AT
}

// Where a tile's results go: `rows` by `columns` of it are inside the image.
typedef struct Destination {
  float *output;
  const float *residual;
  NNInt rowStride, rows, columns;
  NNInt relu;
} Destination;

INLINE void emit(const Destination *d, const int whole, int i, int j, f8 value) {
  if (!whole && (i >= d->rows || j >= d->columns)) return;
  NNInt at = i * d->rowStride + j * 8;
  if (d->residual) value += load8(d->residual + at);
  if (d->relu) value = relu8(value);
  store8(d->output + at, value);
}

INLINE void outputTransform4(const float *m, f8 bias, const Destination *d, const int whole) {
  // A^T m A; the even rows of the result share sums, the odd ones differences.
  const float a1 = pointA, b1 = pointB, a3 = pointA * 0.5f, b3 = pointB * 2.0f;
  f8 r[6], q[6];
#define AT(i) load8(m + (6 * (i) + j) * 16)
#define COLUMNS(i, r) \
  do { \
    f8 s1 = r[1] + r[2], d1 = r[1] - r[2], s2 = r[3] + r[4], d2 = r[3] - r[4]; \
    emit(d, whole, i, 0, (r[0] + s1) + (s2 + bias)); \
    emit(d, whole, i, 1, (bias + a1 * d1) + b1 * d2); \
    emit(d, whole, i, 2, (bias + 0.5f * s1) + 2.0f * s2); \
    emit(d, whole, i, 3, ((r[5] + bias) + a3 * d1) + b3 * d2); \
  } while (0)
  UNROLL for (int j = 0; j < 6; j++) {
    f8 s1 = AT(1) + AT(2), s2 = AT(3) + AT(4);
    r[j] = (AT(0) + s1) + s2;
    q[j] = 0.5f * s1 + 2.0f * s2;
  }
  COLUMNS(0, r);
  COLUMNS(2, q);
  UNROLL for (int j = 0; j < 6; j++) {
    f8 d1 = AT(1) - AT(2), d2 = AT(3) - AT(4);
    r[j] = a1 * d1 + b1 * d2;
    q[j] = (AT(5) + a3 * d1) + b3 * d2;
  }
  COLUMNS(1, r);
  COLUMNS(3, q);
#undef AT
#undef COLUMNS
}

INLINE void outputTransform2(const float *m, f8 bias, const Destination *d, const int whole) {
  f8 r[4], q[4];
#define AT(i) load8(m + (4 * (i) + j) * 16)
  UNROLL for (int j = 0; j < 4; j++) {
    f8 middle1 = AT(1), middle2 = AT(2);
    r[j] = AT(0) + (middle1 + middle2);
    q[j] = (middle1 - middle2) + AT(3);
  }
  emit(d, whole, 0, 0, (r[0] + r[1]) + (r[2] + bias));
  emit(d, whole, 0, 1, (r[1] - r[2]) + (r[3] + bias));
  emit(d, whole, 1, 0, (q[0] + q[1]) + (q[2] + bias));
  emit(d, whole, 1, 1, (q[1] - q[2]) + (q[3] + bias));
#undef AT
}

INLINE void nextTile(NNInt *tx, NNInt *ty, NNInt *image, NNInt tilesX, NNInt tilesY) {
  if (++*tx < tilesX) return;
  *tx = 0;
  if (++*ty < tilesY) return;
  *ty = 0;
  ++*image;
}

// Transforms the tile of a plane that begins at (y0, x0), zeros where it sticks out.
INLINE void transformTile(
  const int size, const float *plane, NNInt height, NNInt width, NNInt y0, NNInt x0, float *edge, float *v
) {
  const int side = size + 2;
  static const float zeros[6 * 8];
  int inside = x0 >= 0 && x0 + side <= width;
  NNInt left = least(side, most(0, -x0)), right = most(left, least(side, width - x0));
  const float *row[6];
  UNROLL for (int i = 0; i < side; i++) {
    NNInt y = y0 + i;
    const float *from = plane + (y * width + x0) * 8;
    if (y < 0 || y >= height) {
      row[i] = zeros;
    } else if (inside) {
      row[i] = from;
    } else {
      float *to = edge + i * side * 8;
      for (NNInt j = 0; j < left; j++) store8(to + j * 8, 0);
      for (NNInt j = left; j < right; j++) store8(to + j * 8, load8(from + j * 8));
      for (NNInt j = right; j < side; j++) store8(to + j * 8, 0);
      row[i] = to;
    }
  }
  if (size == 4) {
    inputTransform4(row, v);
  } else {
    inputTransform2(row, v);
  }
}

// Fetches the pixels of a tile of a plane, those that its neighbour on the left has not read.
INLINE void fetchTile(const int side, const float *plane, NNInt height, NNInt width, NNInt y0, NNInt x0) {
  const float *first = plane + (most(0, least(y0, height - side)) * width + most(0, x0)) * 8;
  UNROLL for (int i = 0; i < side; i++) {
    UNROLL for (int j = 0; j < side * 8; j += 16) __builtin_prefetch(first + i * width * 8 + j, 0, 3);
  }
}

INLINE void transformTiles(
  const NNConvolution *c, const int size, NNInt group, NNInt firstTile, NNInt tiles, float *transformed
) {
  const int side = size + 2;
  NNInt tilesX = nnTilesX(c), tilesY = nnTilesY(c), plane = c->inputHeight * c->inputWidth * 8;
  float edge[6 * 6 * 8];
  NNInt stride = nnTileInputStride(c);
  NNInt x = firstTile % tilesX, y = firstTile / tilesX % tilesY, image = firstTile / (tilesX * tilesY);
  int isFar = nnIsFar(c->batch * c->groups * c->inputBlocks * plane);
  for (NNInt t = 0; t < tiles; t++) {
    const float *input = c->input + (image * c->groups + group) * c->inputBlocks * plane;
    NNInt y0 = y * size - c->padTop, x0 = x * size - c->padLeft;
    nextTile(&x, &y, &image, tilesX, tilesY);
    const float *next = c->input + (image * c->groups + group) * c->inputBlocks * plane;
    for (NNInt block = 0; block < c->inputBlocks; block++) {
      if (isFar && t + 1 < tiles) {
        fetchTile(side, next + block * plane, c->inputHeight, c->inputWidth, y * size - c->padTop, x * size - c->padLeft + 1);
      }
      transformTile(
        size, input + block * plane, c->inputHeight, c->inputWidth, y0, x0, edge,
        transformed + t * stride + block / 2 * side * side * 16 + block % 2 * 8);
    }
  }
}

INLINE void restoreTiles(
  const NNConvolution *c, const int size, NNInt group, NNInt firstTile, NNInt tiles, NNInt panel, const float *products
) {
  NNInt tilesX = nnTilesX(c), tilesY = nnTilesY(c), plane = c->outputHeight * c->outputWidth * 8;
  NNInt halves = least(2, c->outputBlocks - panel * 2), stride = nnTileOutputStride(c);
  NNInt firstBlock = group * c->outputBlocks + panel * 2;
  NNInt tx = firstTile % tilesX, ty = firstTile / tilesX % tilesY, image = firstTile / (tilesX * tilesY);
  int isFar = nnIsFar(c->batch * c->groups * c->outputBlocks * plane);
  for (NNInt t = 0; t < tiles; t++) {
    NNInt y = ty * size, x = tx * size;
    NNInt at = (image * c->groups * c->outputBlocks + firstBlock) * plane + (y * c->outputWidth + x) * 8;
    Destination d = {
      c->output + at, c->residual ? c->residual + at : 0, c->outputWidth * 8, c->outputHeight - y, c->outputWidth - x,
      c->relu};
    int whole = d.rows >= size && d.columns >= size;
    nextTile(&tx, &ty, &image, tilesX, tilesY);
    NNInt next = (image * c->groups * c->outputBlocks + firstBlock) * plane;
    for (NNInt half = 0; half < halves; half++) {
      if (isFar && t + 1 < tiles) {
        if (c->residual) {
          fetchTile(size, c->residual + next + half * plane, c->outputHeight, c->outputWidth, ty * size, tx * size);
        }
        fetchTile(size, c->output + next + half * plane, c->outputHeight, c->outputWidth, ty * size, tx * size);
      }
      f8 bias = c->bias ? load8(c->bias + (firstBlock + half) * 8) : (f8)0;
      const float *m = products + t * stride + half * 8;
      if (size == 4) {
        if (whole) {
          outputTransform4(m, bias, &d, 1);
        } else {
          outputTransform4(m, bias, &d, 0);
        }
      } else {
        if (whole) {
          outputTransform2(m, bias, &d, 1);
        } else {
          outputTransform2(m, bias, &d, 0);
        }
      }
      d.output += plane;
      if (d.residual) d.residual += plane;
    }
  }
}

// [tiles x inner] * [inner x 16 or 8] for one position, in tiles of `height` rows and, at the end, one less.
INLINE void multiplyTiles(
  const NNConvolution *c, const int positions, NNInt tiles, const float *a, const float *weights, const float *next,
  float *products, int wide
) {
  NNInt inner = c->inputBlocks * 8, stride = nnTileInputStride(c), to = nnTileOutputStride(c);
  NNInt calls = nnCeilDivide(tiles, wide ? MAX_HEIGHT : MAX_HEIGHT_8), height = nnCeilDivide(tiles, calls);
  // The next weights, which come from memory when there are many channels, are fetched meanwhile: by one tile, by two, or
  // 3 eighths by each.
  NNInt panel = inner * (wide ? 16 : 8);
  NNInt fetched = panel / 8 * (calls == 1 ? 8 : calls == 2 ? 6 : wide ? 3 : 2);
  const float *end = next + panel;
  const Stepped16 *of16 = calls == 1 ? steppedAloneOf16 : calls == 2 ? steppedOfTwoOf16 : steppedOf16;
  const Stepped8 *of8 = calls == 1 ? steppedAloneOf8 : calls == 2 ? steppedOfTwoOf8 : steppedOf8;
  while (tiles > 0) {
    // As even as can be: two last rows of 4 are faster than one of 6 and one of 2.
    NNInt m = nnCeilDivide(tiles, height) * (height - 1) >= tiles ? height - 1 : height;
    if (wide) {
      of16[m](a, stride, positions * 16, inner, weights, products, to, next);
    } else {
      of8[m](a, stride, positions * 16, inner, weights, products, to, next);
    }
    next = next + fetched < end ? next + fetched : weights;
    tiles -= m;
    a += m * stride;
    products += m * to;
  }
}

INLINE void winogradConvolution(const NNConvolution *c, const int size, NNInt task, float *scratch) {
  const int positions = (size + 2) * (size + 2);
  NNInt total = c->batch * nnTilesY(c) * nnTilesX(c), strips = nnCeilDivide(total, c->strip);
  NNInt panelCount = nnPanels(c), chunks = nnCeilDivide(panelCount, c->panels);
  NNInt chunk = task % chunks;
  task /= chunks;
  NNInt firstTile = task % strips * c->strip, tiles = least(c->strip, total - firstTile), group = task / strips;
  NNInt firstPanel = chunk * c->panels, lastPanel = least(firstPanel + c->panels, panelCount);
  NNInt inner = c->inputBlocks * 8, filters = c->outputBlocks * 8;
  NNInt panelStride = c->strip * nnTileOutputStride(c);
  float *transformed = scratch, *products = scratch + c->strip * nnTileInputStride(c);
  const float *weights = c->weights + group * positions * inner * filters;

  transformTiles(c, size, group, firstTile, tiles, transformed);
  for (NNInt p = 0; p < positions; p++) {
    const float *from = weights + p * filters * inner;
    for (NNInt panel = firstPanel; panel < lastPanel; panel++) {
      NNInt next = panel + 1 < lastPanel ? (panel + 1) * 16 : filters + firstPanel * 16;
      multiplyTiles(
        c, positions, tiles, transformed + p * 16, from + panel * 16 * inner, from + next * inner,
        products + (panel - firstPanel) * panelStride + p * 16, panel * 2 + 1 < c->outputBlocks);
    }
  }
  for (NNInt panel = firstPanel; panel < lastPanel; panel++) {
    restoreTiles(c, size, group, firstTile, tiles, panel, products + (panel - firstPanel) * panelStride);
  }
}

static void winograd4(const NNConvolution *c, NNInt task, float *scratch) { winogradConvolution(c, 4, task, scratch); }
static void winograd2(const NNConvolution *c, NNInt task, float *scratch) { winogradConvolution(c, 2, task, scratch); }

// G g: rows of G are [1, p, p^2] / product of (p - other points), and [0, 0, 1] for infinity.
INLINE void filterTransform(const int size, const d8 g[3], d8 r[6]) {
  if (size == 4) {
    const double a = 0.70710678118654752440, b = 1.41421356237309504880;
    d8 ea = (g[0] + 0.5 * g[2]) * (-2.0 / 3), oa = g[1] * (-2.0 / 3 * a);
    d8 eb = (g[0] + 2.0 * g[2]) * (1.0 / 6), ob = g[1] * (b / 6);
    r[0] = g[0];
    r[1] = ea + oa;
    r[2] = ea - oa;
    r[3] = eb + ob;
    r[4] = eb - ob;
    r[5] = g[2];
  } else {
    d8 e = (g[0] + g[2]) * 0.5, o = g[1] * 0.5;
    r[0] = g[0];
    r[1] = e + o;
    r[2] = e - o;
    r[3] = g[2];
  }
}

// The 3x3 kernels that 8 filters of a group, from `local` on, have for a channel: g[tap][filter].
INLINE void kernelsOf(const NNPack *p, NNInt firstFilter, NNInt local, NNInt group, NNInt channel, d8 g[9]) {
  f8 r[8], last = 0;
  d8 factor = 1;
  UNROLL for (int lane = 0; lane < 8; lane++) {
    NNInt place = weightPlace(p, group, local + lane, channel);
    r[lane] = 0;
    if (place >= 0) {
      r[lane] = load8(p->input + place);
      last[lane] = p->input[place + 8];
      if (p->scale) factor[lane] = p->scale[firstFilter + local + lane];
    }
  }
  transpose8(r);
  UNROLL for (int tap = 0; tap < 9; tap++) {
    f8 v = tap < 8 ? r[tap] : last;
    g[p->reversed ? 8 - tap : tap] = __builtin_convertvector(v, d8) * factor;
  }
}

// Weights transformed in double precision and rounded once.
INLINE void packWinograd(const NNPack *p, const int size, NNInt task) {
  const NNConvolution *c = &p->shape;
  const int side = size + 2, positions = side * side;
  NNInt inner = c->inputBlocks * 8, outputs = c->outputBlocks * 8;
  NNInt group = task / nnPanels(c), panel = task % nnPanels(c);
  NNInt firstFilter = group * (p->groups / c->groups) * (p->filters / p->groups);
  float *to = p->output + group * positions * inner * outputs;
  NNInt width = least(16, (c->outputBlocks - panel * 2) * 8);
  for (NNInt channel = 0; channel < inner; channel++) {
    for (NNInt half = 0; half < width; half += 8) {
      d8 g[9];
      kernelsOf(p, firstFilter, panel * 16 + half, group, channel, g);
      d8 columns[6][3];
      UNROLL for (int x = 0; x < 3; x++) {
        d8 in[3] = {g[x], g[3 + x], g[6 + x]}, out[6];
        filterTransform(size, in, out);
        UNROLL for (int y = 0; y < side; y++) columns[y][x] = out[y];
      }
      UNROLL for (int y = 0; y < side; y++) {
        d8 out[6];
        filterTransform(size, columns[y], out);
        UNROLL for (int x = 0; x < side; x++) {
          NNInt position = y * side + x;
          NNInt at = (position * outputs + panel * 16) * inner + channel * width + half;
          store8(to + at, __builtin_convertvector(out[x], f8));
        }
      }
    }
  }
}

static void packWinograd4(const NNPack *p, NNInt task) { packWinograd(p, 4, task); }
static void packWinograd2(const NNPack *p, NNInt task) { packWinograd(p, 2, task); }

static void convolution(const void *arguments, NNInt task, float *scratch) {
  const NNConvolution *c = arguments;
  switch (c->algorithm) {
    case NN_DIRECT: directConvolution(c, 0, task, scratch); break;
    case NN_WINOGRAD_2: winograd2(c, task, scratch); break;
    case NN_WINOGRAD_4: winograd4(c, task, scratch); break;
  }
}

static void pack(const void *arguments, NNInt task, float *scratch) {
  const NNPack *p = arguments;
  switch (p->shape.algorithm) {
    case NN_DIRECT: packDirect(p, task); break;
    case NN_WINOGRAD_2: packWinograd2(p, task); break;
    case NN_WINOGRAD_4: packWinograd4(p, task); break;
  }
}
