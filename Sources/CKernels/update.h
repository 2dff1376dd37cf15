// What a step of training has besides a network's own operations: losses, metrics, and the update of the parameters.

// The sum of each column of a plain [rows, columns], for a piece of the rows: [piece][columns].
static void columnSum(const void *arguments, NNInt piece, float *scratch) {
  const NNColumnSum *p = arguments;
  NNInt first = nnPieceStart(&p->pieces, piece), last = nnPieceStart(&p->pieces, piece + 1), column = 0;
  float *output = p->output + piece * p->columns;
  for (; column + 8 <= p->columns; column += 8) {
    f8 sum = 0;
    for (NNInt row = first; row < last; row++) sum += load8(p->input + row * p->columns + column);
    store8(output + column, sum);
  }
  for (; column < p->columns; column++) {
    float sum = 0;
    for (NNInt row = first; row < last; row++) sum += p->input[row * p->columns + column];
    output[column] = sum;
  }
}

// output[m][16] = sum over r of left[r][m] * right[r][16], added to what is there with `adds`.
#define FUNCTION(M) \
  static void product_##M( \
    const float *left, NNInt leftStride, const float *right, NNInt rows, float *output, NNInt stride, int adds) { \
    f16 sum[M]; \
    UNROLL for (int m = 0; m < M; m++) sum[m] = adds ? load16(output + m * stride) : (f16)0; \
    for (NNInt r = 0; r < rows; r++, left += leftStride, right += 16) { \
      f16 row = load16(right); \
      UNROLL for (int m = 0; m < M; m++) sum[m] += left[m] * row; \
    } \
    UNROLL for (int m = 0; m < M; m++) store16(output + m * stride, sum[m]); \
  }
FOR_EACH_HEIGHT(FUNCTION)
#undef FUNCTION

typedef void (*ProductFunction)(const float *, NNInt, const float *, NNInt, float *, NNInt, int);
#define ENTRY(M) product_##M,
static const ProductFunction productOf[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY

// left^T right over a piece of the rows: [piece][m][n] = sum over rows of left[row][m] * right[row][n]; both plain.
static void product(const void *arguments, NNInt task, float *scratch) {
  const NNProduct *p = arguments;
  NNInt panels = nnCeilDivide(p->columns, 16), chunks = nnCeilDivide(p->height, PRODUCT_HEIGHT);
  NNInt firstM = task % chunks * PRODUCT_HEIGHT, height = least(PRODUCT_HEIGHT, p->height - firstM);
  task /= chunks;
  NNInt panel = task % panels, piece = task / panels, columns = least(16, p->columns - panel * 16);
  NNInt first = nnPieceStart(&p->pieces, piece), last = nnPieceStart(&p->pieces, piece + 1);
  NNInt tiles = nnCeilDivide(height, MAX_HEIGHT);
  float *output = p->output + (piece * p->height + firstM) * p->columns + panel * 16;
  float *right = scratch, *sums = columns == 16 ? output : scratch + PRODUCT_ROWS * 16;
  NNInt stride = columns == 16 ? p->columns : 16;
  for (NNInt m = 0; first == last && m < height; m++) store16(sums + m * stride, 0);
  for (NNInt row = first; row < last; row += PRODUCT_ROWS) {
    NNInt rows = least(PRODUCT_ROWS, last - row);
    // Side by side: rows a power of two apart would push one another out of the first-level cache.
    for (NNInt r = 0; r < rows; r++) {
      const float *from = p->right + (row + r) * p->columns + panel * 16;
      if (columns == 16) {
        store16(right + r * 16, load16(from));
      } else {
        for (NNInt j = 0; j < 16; j++) right[r * 16 + j] = j < columns ? from[j] : 0;
      }
    }
    const float *left = p->left + row * p->height + firstM;
    for (NNInt i = 0; i < tiles; i++) {
      NNInt m = height * i / tiles;
      productOf[height * (i + 1) / tiles - m](left + m, p->height, right, rows, sums + m * stride, stride, row > first);
    }
  }
  for (NNInt m = 0; columns < 16 && m < height; m++) {
    for (NNInt j = 0; j < columns; j++) output[m * p->columns + j] = sums[m * 16 + j];
  }
}

// The terms of a loss over a row of scores z and targets t, and their gradients times `scale`.
INLINE double lossOfRow(const NNLoss *p, const float *z, const float *t, float *gradient, float scale) {
  double sum = 0;
  NNInt columns = p->columns;
  if (p->kind == NN_MEAN_SQUARED_ERROR) {
    for (NNInt i = 0; i < columns; i++) {
      float d = z[i] - t[i];
      sum += (double)(d * d);
      if (gradient) gradient[i] = scale * d;
    }
    return sum;
  }
  if (p->kind == NN_BINARY_CROSS_ENTROPY) {
    for (NNInt i = 0; i < columns; i++) {
      float small = expf(-fabsf(z[i])), s = z[i] < 0 ? small / (1 + small) : 1 / (1 + small);
      sum += (double)((z[i] < 0 ? 0 : z[i]) - z[i] * t[i] + log1pf(small));
      if (gradient) gradient[i] = (s - t[i]) * scale;
    }
    return sum;
  }
  float largest = z[0], exponentials = 0, total = 0;
  for (NNInt i = 1; i < columns; i++) largest = z[i] > largest ? z[i] : largest;
  for (NNInt i = 0; i < columns; i++) total += t[i];
  for (NNInt i = 0; i < columns; i += 8) {
    NNInt lanes = least(8, columns - i);
    f8 x = 0;
    for (NNInt j = 0; j < lanes; j++) x[j] = z[i + j];
    x = exponential8(x - largest);
    for (NNInt j = 0; j < lanes; j++) {
      exponentials += x[j];
      if (gradient) gradient[i + j] = x[j];
    }
  }
  float logarithm = logf(exponentials), share = total / exponentials;
  for (NNInt i = 0; i < columns; i++) {
    if (t[i] != 0) sum += (double)(t[i] * (logarithm - (z[i] - largest)));
    if (gradient) gradient[i] = (gradient[i] * share - t[i]) * scale;
  }
  return sum;
}

// A loss's sum over a piece of the rows, divided by what the mean is over, and its gradient.
static void loss(const void *arguments, NNInt piece, float *scratch) {
  const NNLoss *p = arguments;
  double sum = 0, count = (double)(p->kind == NN_CROSS_ENTROPY ? p->wholeRows : p->wholeRows * p->columns);
  float scale = (float)((p->kind == NN_MEAN_SQUARED_ERROR ? 2 : 1) / count);
  NNInt last = nnPieceStart(&p->pieces, piece + 1);
  for (NNInt row = nnPieceStart(&p->pieces, piece); row < last; row++) {
    NNInt at = row * p->columns;
    sum += lossOfRow(p, p->output + at, p->target + at, p->gradient ? p->gradient + at : 0, scale);
  }
  p->sums[piece] = sum / count;
}

// A metric's sum over a piece of the rows of `output`: how many are right, or by how much all numbers are off.
INLINE double metricSum(const NNMetric *p, const float *output, NNInt piece) {
  NNInt first = nnPieceStart(&p->pieces, piece), last = nnPieceStart(&p->pieces, piece + 1), end = last * p->columns;
  double sum = 0;
  if (p->kind == NN_ABSOLUTE_ERROR) {
    for (NNInt i = first * p->columns; i < end; i++) sum += __builtin_fabs((double)output[i] - (double)p->target[i]);
  } else if (p->columns == 1) {
    for (NNInt row = first; row < last; row++) sum += (output[row] >= 0.5f) == (p->target[row] >= 0.5f);
  } else {
    for (NNInt row = first; row < last; row++) {
      const float *y = output + row * p->columns, *t = p->target + row * p->columns;
      NNInt best = 0, wanted = 0;
      for (NNInt i = 1; i < p->columns; i++) {
        if (y[i] > y[best]) best = i;
        if (t[i] > t[wanted]) wanted = i;
      }
      sum += best == wanted;
    }
  }
  return sum;
}

static void metric(const void *arguments, NNInt piece, float *scratch) {
  const NNMetric *p = arguments;
  p->sums[piece] = metricSum(p, p->output, piece);
}

// running = keep * running + share * batch.
static void track(const void *arguments, NNInt task, float *scratch) {
  const NNTrack *p = arguments;
  for (NNInt i = 0; i < p->count; i++) {
    p->running[i] = p->keep * p->running[i] + p->share * (p->batch[i] * p->correction);
  }
}

// The squares of a task's gradients, summed; then the factor that cuts the norm of all.
static void squares(const void *arguments, NNInt task, float *scratch) {
  const NNClip *p = arguments;
  NNInt first = task * p->countPerTask, last = least(first + p->countPerTask, p->count), i = first;
  d8 sum = 0;
  for (; i + 8 <= last; i += 8) {
    d8 g = __builtin_convertvector(load8(p->gradients + i), d8);
    sum += g * g;
  }
  double total = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
  for (; i < last; i++) total += (double)p->gradients[i] * (double)p->gradients[i];
  p->sums[task] = total;
}

static void squaresToFactor(const void *arguments, NNInt task, float *scratch) {
  const NNClip *p = arguments;
  double total = 0;
  for (NNInt i = 0; i < nnCeilDivide(p->count, p->countPerTask); i++) total += p->sums[i];
  float factor = (float)(p->largest / (__builtin_sqrt(total) + 1e-6));
  *p->factor = factor < 1 ? factor : 1;
}

INLINE double power(double base, NNInt exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if (exponent & 1) result *= base;
  }
  return result;
}

// The rules of `torch.optim.SGD`, `Adam` and `AdamW`, in PyTorch's order; `constants` are worked out once a task.
typedef struct Rule {
  float rate, momentum, keeps, decay, shrink, beta2, rest1, rest2, step, inverseCorrection, epsilon;
} Rule;

INLINE Rule ruleOfStep(const NNUpdate *p, double rate, NNInt step) {
#pragma clang fp contract(off)
  Rule r = {
    .rate = (float)rate, .momentum = (float)p->momentum, .keeps = step == 1 ? 0 : (float)p->momentum,
    .decay = p->kind == NN_ADAMW ? 0 : (float)p->decay, .shrink = 1, .epsilon = (float)p->epsilon};
  if (p->kind != NN_SGD) {
    if (p->kind == NN_ADAMW) r.shrink = (float)(1 - rate * p->decay);
    r.beta2 = (float)p->beta2;
    r.rest1 = (float)(1 - p->beta1);
    r.rest2 = (float)(1 - p->beta2);
    r.step = (float)(rate / (1 - power(p->beta1, step)));
    r.inverseCorrection = (float)(1 / __builtin_sqrt(1 - power(p->beta2, step)));
  }
  return r;
}

// Which product an addition takes in would be the compiler's choice, and another in another place: none.
INLINE f8 adam(const Rule *r, f8 value, f8 gradient, f8 *first, f8 *second) {
#pragma clang fp contract(off)
  value *= r->shrink;
  f8 own = gradient + r->decay * value;
  *first += r->rest1 * (own - *first);
  *second = r->beta2 * *second + r->rest2 * own * own;
  return value - r->step * (*first / (__builtin_elementwise_sqrt(*second) * r->inverseCorrection + r->epsilon));
}

INLINE f8 updated(const NNUpdate *p, const Rule *r, f8 value, f8 gradient, f8 *first, f8 *second) {
  if (p->kind == NN_SGD) {
    f8 own = gradient + r->decay * value;
    if (p->momentum == 0) return value - r->rate * own;
    f8 kept = r->keeps * *first + own;
    *first = kept;
    return value - r->rate * (p->nesterov ? own + r->momentum * kept : kept);
  }
  return adam(r, value, gradient, first, second);
}

static void update(const void *arguments, NNInt task, float *scratch) {
  const NNUpdate *p = arguments;
  NNInt begin = task * p->countPerTask, end = least(begin + p->countPerTask, p->count);
  Rule r = ruleOfStep(p, p->rate, p->step);
  float cut = p->factor ? *p->factor : 1;
  f8 bad = 0;
  // All counts are multiples of 8: what is beyond a parameter's end stays zero.
  for (NNInt i = begin; i < end; i += 8) {
    f8 gradient = load8(p->gradients + i), first = 0, second = 0;
    if (p->factor) gradient *= cut;
    if (p->first) first = load8(p->first + i);
    if (p->second) second = load8(p->second + i);
    f8 value = updated(p, &r, load8(p->parameters + i), gradient, &first, &second);
    store8(p->parameters + i, value);
    if (p->first) store8(p->first + i, first);
    if (p->second) store8(p->second + i, second);
    bad += value - value;
  }
  for (int lane = 0; lane < 8; lane++) {
    if (bad[lane] != 0) __atomic_store_n(p->diverged, 1, __ATOMIC_RELAXED);
  }
}
