// Dense layers: [rows x inner] * [inner x columns], the right side packed in panels [inner][16].

// One row: bound by reading the weights, so four sums run at once to hide the latency of each.
static void denseRow(const float *a, NNInt inner, const float *b, const float *bias, NNInt relu, float *c) {
  f16 s0 = bias ? load16(bias) : (f16)0, s1 = 0, s2 = 0, s3 = 0;
  NNInt k = 0;
  for (; k + 4 <= inner; k += 4, b += 64) {
    s0 += a[k] * load16(b);
    s1 += a[k + 1] * load16(b + 16);
    s2 += a[k + 2] * load16(b + 32);
    s3 += a[k + 3] * load16(b + 48);
  }
  for (; k < inner; k++, b += 16) s0 += a[k] * load16(b);
  s0 = (s0 + s1) + (s2 + s3);
  store16(c, relu ? relu16(s0) : s0);
}

static void dense(const void *arguments, NNInt task, float *scratch) {
  const NNDense *d = arguments;
  NNInt panelCount = nnCeilDivide(d->columns, 16), chunks = nnCeilDivide(panelCount, d->panels);
  NNInt firstPanel = task % chunks * d->panels, lastPanel = least(firstPanel + d->panels, panelCount);
  NNInt firstRow = task / chunks * d->rowsPerTask, rows = least(d->rowsPerTask, d->rows - firstRow);
  const float *a = d->input + firstRow * d->inputStride;
  float edge[MAX_HEIGHT * 16], edgeBias[16];
  NNInt parts = most(1, nnCeilDivide(d->inner, INNER_CHUNK)), tiles = nnCeilDivide(rows, MAX_HEIGHT);
  if (d->single) parts = 1;
  for (NNInt part = 0; part < parts; part++) {
    NNInt first = d->inner * part / parts, last = d->inner * (part + 1) / parts;
    for (NNInt panel = firstPanel; panel < lastPanel; panel++) {
      const float *b = d->weights + panel * 16 * d->inner + first * 16;
      const float *next = b + 16 * d->inner;
      NNInt size = 16 * (last - first);
      float *c = d->output + firstRow * d->outputStride + panel * 16;
      const float *bias = d->bias ? d->bias + panel * 16 : 0;
      NNInt columns = least(16, d->columns - panel * 16), relu = d->relu && part == parts - 1;
      if (columns < 16 && bias) {
        for (int j = 0; j < 16; j++) edgeBias[j] = j < columns ? bias[j] : 0;
        bias = edgeBias;
      }
      if (d->single) {
        denseRow(a, d->inner, b, bias, relu, columns < 16 ? edge : c);
        for (NNInt j = 0; columns < 16 && j < columns; j++) c[j] = edge[j];
        continue;
      }
      for (NNInt i = 0; i < tiles; i++) {
        NNInt m = rows * i / tiles, height = rows * (i + 1) / tiles - m;
        const float *left = a + m * d->inputStride + first;
        float *to = c + m * d->outputStride;
        if (columns == 16) {
          denseOf16[height](left, d->inputStride, last - first, b, to, d->outputStride, bias, part > 0, relu, i < 2 ? next + i * size / 2 : b);
          continue;
        }
        for (NNInt r = 0; part > 0 && r < height; r++) {
          for (NNInt j = 0; j < 16; j++) edge[r * 16 + j] = j < columns ? to[r * d->outputStride + j] : 0;
        }
        denseOf16[height](left, d->inputStride, last - first, b, edge, 16, bias, part > 0, relu, i < 2 ? next + i * size / 2 : b);
        for (NNInt r = 0; r < height; r++) {
          for (NNInt j = 0; j < columns; j++) to[r * d->outputStride + j] = edge[r * 16 + j];
        }
      }
    }
  }
}

INLINE void packDensePanel(const NNPackDense *p, NNInt panel, float *packed) {
  NNInt width = least(16, p->columns - panel * 16), k = 0;
  const float *from = p->input + panel * 16 * p->columnStride;
  if (p->innerStride == 1) {
    for (; k + 8 <= p->inner; k += 8) {
      UNROLL for (int half = 0; half < 16; half += 8) {
        f8 r[8];
        UNROLL for (int j = 0; j < 8; j++) r[j] = half + j < width ? load8(from + (half + j) * p->columnStride + k) : (f8)0;
        transpose8(r);
        UNROLL for (int j = 0; j < 8; j++) store8(packed + (k + j) * 16 + half, r[j]);
      }
    }
  }
  if (p->columnStride == 1 && width == 16) {
    for (; k < p->inner; k++) store16(packed + k * 16, load16(from + k * p->innerStride));
  }
  for (; k < p->inner; k++) {
    float *to = packed + k * 16;
    for (NNInt j = 0; j < width; j++) to[j] = from[k * p->innerStride + j * p->columnStride];
    for (NNInt j = width; j < 16; j++) to[j] = 0;
  }
}

static void packDense(const void *arguments, NNInt panel, float *scratch) {
  const NNPackDense *p = arguments;
  packDensePanel(p, panel, p->output + panel * 16 * p->inner);
}

// A panel of columns by weights that are used once: packed into scratch, and multiplied there.
static void denseOnce(const void *arguments, NNInt panel, float *scratch) {
  const NNDenseOnce *o = arguments;
  packDensePanel(&o->pack, panel, scratch);
  NNDense d = o->dense;
  d.weights = scratch;
  d.output += panel * 16;
  if (d.bias) d.bias += panel * 16;
  d.columns = least(16, d.columns - panel * 16);
  d.rowsPerTask = d.rows;
  d.panels = 1;
  dense(&d, 0, 0);
}

static void transpose(const void *arguments, NNInt task, float *scratch) {
  const NNTranspose *t = arguments;
  for (NNInt row = 0; row < t->rows; row += 8) {
    NNInt rows = least(8, t->rows - row);
    for (NNInt column = 0; column < t->columns; column++) {
      for (NNInt i = 0; i < rows; i++) t->output[column * t->rows + row + i] = t->input[(row + i) * t->columns + column];
    }
  }
}
