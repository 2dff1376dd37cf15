// What only training needs: gradients, and normalisation by the batch's own statistics.

INLINE d8 loadDoubles(const double *p) {
  d8 v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE void storeDoubles(double *p, d8 v) { memcpy(p, &v, sizeof v); }

// A vector of a block of channels, zeros beyond the last.
INLINE f8 loadChannels(const float *vector, NNInt block, NNInt channels) {
  f8 v = 0;
  for (NNInt lane = 0; lane < least(8, channels - block * 8); lane++) v[lane] = vector[block * 8 + lane];
  return v;
}

INLINE void storeChannels(float *vector, NNInt block, NNInt channels, f8 v) {
  for (NNInt lane = 0; lane < least(8, channels - block * 8); lane++) vector[block * 8 + lane] = v[lane];
}

// The sums over a piece of the batch of x and of x^2, in double precision: [piece][sum, square][channel].
static void moments(const void *arguments, NNInt task, float *scratch) {
  const NNMoments *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), block = task % blocks, piece = task / blocks;
  NNInt image = blocks * p->pixels * 8, first = nnPieceStart(&p->pieces, piece);
  NNInt last = nnPieceStart(&p->pieces, piece + 1);
  const float *input = p->input + block * p->pixels * 8;
  // Differences from one of the numbers: what is squared in single precision is then no larger than it need be.
  f8 pivot = load8(input + first * image);
  d8 total = 0, squares = 0;
  for (NNInt n = first; n < last; n++) {
    const float *x = input + n * image;
    for (NNInt start = 0; start < p->pixels; start += 1024) {
      NNInt end = least(start + 1024, p->pixels), i = start;
      f8 s[4] = {0, 0, 0, 0}, q[4] = {0, 0, 0, 0};
      for (; i + 4 <= end; i += 4) {
        UNROLL for (int j = 0; j < 4; j++) {
          f8 a = load8(x + (i + j) * 8) - pivot;
          s[j] += a;
          q[j] += a * a;
        }
      }
      for (; i < end; i++) {
        f8 a = load8(x + i * 8) - pivot;
        s[0] += a;
        q[0] += a * a;
      }
      total += __builtin_convertvector((s[0] + s[1]) + (s[2] + s[3]), d8);
      squares += __builtin_convertvector((q[0] + q[1]) + (q[2] + q[3]), d8);
    }
  }
  // Back to sums of the numbers themselves, which any two pieces can add.
  double count = (double)((last - first) * p->pixels);
  d8 shift = __builtin_convertvector(pivot, d8);
  double *sums = p->sums + (piece * 2 * blocks + block) * 8;
  storeDoubles(sums, total + count * shift);
  storeDoubles(sums + blocks * 8, squares + shift * (2.0 * total + count * shift));
}

// Mean and variance of each channel, and what a normalisation by them does to x: x * factor + summand.
static void momentsToScale(const void *arguments, NNInt block, float *scratch) {
  const NNNormalization *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8);
  d8 mean = loadDoubles(p->sums + block * 8) / p->count;
  d8 spread = loadDoubles(p->sums + (blocks + block) * 8) / p->count - mean * mean;
  spread = spread < 0 ? (d8)0 : spread;
  storeChannels(p->mean, block, p->channels, __builtin_convertvector(mean, f8));
  storeChannels(p->variance, block, p->channels, __builtin_convertvector(spread, f8));
  d8 scale = __builtin_convertvector(loadChannels(p->gamma, block, p->channels), d8);
  for (int lane = 0; lane < 8; lane++) scale[lane] /= __builtin_sqrt(spread[lane] + p->epsilon);
  d8 offset = __builtin_convertvector(loadChannels(p->beta, block, p->channels), d8) - mean * scale;
  store8(p->factors + block * 16, __builtin_convertvector(scale, f8));
  store8(p->factors + block * 16 + 8, __builtin_convertvector(offset, f8));
}

static void normalize(const void *arguments, NNInt task, float *scratch) {
  const NNNormalize *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), first = task * p->planesPerTask;
  for (NNInt plane = first; plane < least(first + p->planesPerTask, p->batch * blocks); plane++) {
    f8 factor = load8(p->factors + plane % blocks * 16), summand = load8(p->factors + plane % blocks * 16 + 8);
    const float *x = p->input + plane * p->pixels * 8, *residual = p->residual ? p->residual + plane * p->pixels * 8 : 0;
    float *output = p->output + plane * p->pixels * 8;
    for (NNInt i = 0; i < p->pixels * 8; i += 8) {
      f8 y = load8(x + i) * factor + summand;
      if (residual) y += load8(residual + i);
      store8(output + i, p->relu ? relu8(y) : y);
    }
  }
}

// The sums over a piece of the result's gradient g and of g * (x - mean): [piece][sum, product][channel]. Where the result
// after relu is not positive, g is zero, and is written so where it is wanted elsewhere.
static void gradientMoments(const void *arguments, NNInt task, float *scratch) {
  const NNMoments *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), block = task % blocks, piece = task / blocks;
  NNInt image = blocks * p->pixels * 8, last = nnPieceStart(&p->pieces, piece + 1);
  f8 mean = p->mean ? loadChannels(p->mean, block, p->channels) : (f8)0;
  d8 sum = 0, product = 0;
  for (NNInt n = nnPieceStart(&p->pieces, piece); n < last; n++) {
    NNInt at = n * image + block * p->pixels * 8;
    const float *g = p->gradient + at, *x = p->input ? p->input + at : 0, *z = p->activated ? p->activated + at : 0;
    float *masked = p->masked ? p->masked + at : 0;
    for (NNInt start = 0; start < p->pixels; start += 1024) {
      NNInt end = least(start + 1024, p->pixels), i = start;
      f8 s0 = 0, s1 = 0, q0 = 0, q1 = 0;
      for (; i + 2 <= end; i += 2) {
        f8 a = load8(g + i * 8), b = load8(g + i * 8 + 8);
        if (z) {
          a = load8(z + i * 8) > 0 ? a : (f8)0;
          b = load8(z + i * 8 + 8) > 0 ? b : (f8)0;
        }
        if (masked) {
          store8(masked + i * 8, a);
          store8(masked + i * 8 + 8, b);
        }
        s0 += a;
        s1 += b;
        if (x) {
          q0 += a * (load8(x + i * 8) - mean);
          q1 += b * (load8(x + i * 8 + 8) - mean);
        }
      }
      if (i < end) {
        f8 a = load8(g + i * 8);
        if (z) a = load8(z + i * 8) > 0 ? a : (f8)0;
        if (masked) store8(masked + i * 8, a);
        s0 += a;
        if (x) q0 += a * (load8(x + i * 8) - mean);
      }
      sum += __builtin_convertvector(s0 + s1, d8);
      product += __builtin_convertvector(q0 + q1, d8);
    }
  }
  double *sums = p->sums + (piece * 2 * blocks + block) * 8;
  storeDoubles(sums, sum);
  storeDoubles(sums + blocks * 8, product);
}

// The gradients of gamma and beta, and what the gradient of x is made of:
// scale * (g - mean(g) - normalised x * mean(g * normalised x)) = scale * g + slope * x + offset.
static void momentsToGradient(const void *arguments, NNInt block, float *scratch) {
  const NNNormalization *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8);
  d8 sum = loadDoubles(p->sums + block * 8), product = loadDoubles(p->sums + (blocks + block) * 8);
  d8 mean = __builtin_convertvector(loadChannels(p->mean, block, p->channels), d8);
  d8 inverse = __builtin_convertvector(loadChannels(p->variance, block, p->channels), d8);
  for (int lane = 0; lane < 8; lane++) inverse[lane] = 1 / __builtin_sqrt(inverse[lane] + p->epsilon);
  product *= inverse;
  storeChannels(p->betaGradient, block, p->channels, __builtin_convertvector(sum, f8));
  storeChannels(p->gammaGradient, block, p->channels, __builtin_convertvector(product, f8));
  d8 scale = __builtin_convertvector(loadChannels(p->gamma, block, p->channels), d8) * inverse;
  d8 slope = -scale * inverse * product / p->count, offset = -scale * sum / p->count;
  store8(p->factors + block * 32, __builtin_convertvector(scale, f8));
  store8(p->factors + block * 32 + 8, __builtin_convertvector(slope, f8));
  store8(p->factors + block * 32 + 16, __builtin_convertvector(offset, f8));
  store8(p->factors + block * 32 + 24, __builtin_convertvector(mean, f8));
}

static void normalizeGradient(const void *arguments, NNInt task, float *scratch) {
  const NNNormalize *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), first = task * p->planesPerTask;
  for (NNInt plane = first; plane < least(first + p->planesPerTask, p->batch * blocks); plane++) {
    const float *factors = p->factors + plane % blocks * 32;
    f8 scale = load8(factors), slope = load8(factors + 8), offset = load8(factors + 16), mean = load8(factors + 24);
    NNInt at = plane * p->pixels * 8;
    const float *g = p->gradient + at, *x = p->input + at, *z = p->activated ? p->activated + at : 0;
    float *output = p->output + at;
    for (NNInt i = 0; i < p->pixels * 8; i += 8) {
      f8 value = load8(g + i);
      if (z) value = load8(z + i) > 0 ? value : (f8)0;
      store8(output + i, scale * value + (slope * (load8(x + i) - mean) + offset));
    }
  }
}

// Weights of a depthwise convolution, [channel][position], to [block][position][8].
static void packDepthwise(const void *arguments, NNInt task, float *scratch) {
  const NNPack *p = arguments;
  NNInt taps = p->filterStride;
  for (NNInt channel = 0; channel < nnCeilDivide(p->filters, 8) * 8; channel++) {
    for (NNInt tap = 0; tap < taps; tap++) {
      float w = channel < p->filters ? p->input[channel * taps + (p->reversed ? taps - 1 - tap : tap)] : 0;
      p->output[(channel / 8 * taps + tap) * 8 + channel % 8] = w;
    }
  }
}

static void spread(const void *arguments, NNInt plane, float *scratch) {
  const NNSpread *p = arguments;
  const float *input = p->input + plane * p->inputHeight * p->inputWidth * 8;
  float *output = p->output + plane * p->outputHeight * p->outputWidth * 8;
  memset(output, 0, (size_t)(p->outputHeight * p->outputWidth) * 32);
  for (NNInt y = 0; y < p->inputHeight; y++) {
    float *to = output + y * p->strideY * p->outputWidth * 8;
    for (NNInt x = 0; x < p->inputWidth; x++, input += 8, to += p->strideX * 8) store8(to, load8(input));
  }
}

static void maximumGradient(const void *arguments, NNInt plane, float *scratch) {
  const NNMaximumGradient *m = arguments;
  const NNPooling *p = &m->shape;
  NNInt size = p->inputHeight * p->inputWidth * 8;
  const float *input = m->input + plane * size;
  const float *gradient = m->gradient + plane * p->outputHeight * p->outputWidth * 8;
  float *output = m->output + plane * size;
  memset(output, 0, (size_t)size * 4);
  for (NNInt oy = 0; oy < p->outputHeight; oy++) {
    NNInt y = oy * p->strideY - p->padTop, y0 = most(0, y), y1 = least(p->inputHeight, y + p->kernelHeight);
    for (NNInt ox = 0; ox < p->outputWidth; ox++, gradient += 8) {
      NNInt x = ox * p->strideX - p->padLeft, x0 = most(0, x), x1 = least(p->inputWidth, x + p->kernelWidth);
      if (y1 - y0 == 1 && x1 - x0 == 1) {
        float *to = output + (y0 * p->inputWidth + x0) * 8;
        store8(to, load8(to) + load8(gradient));
        continue;
      }
      f8 value = load8(input + (y0 * p->inputWidth + x0) * 8);
      i8 place = (int)(y0 * p->inputWidth + x0);
      for (NNInt i = y0; i < y1; i++) {
        for (NNInt j = x0; j < x1; j++) {
          f8 other = load8(input + (i * p->inputWidth + j) * 8);
          i8 wins = (other > value) | (other != other);
          value = wins ? other : value;
          place = wins ? (i8)(int)(i * p->inputWidth + j) : place;
        }
      }
      for (int lane = 0; lane < 8; lane++) output[(NNInt)place[lane] * 8 + lane] += gradient[lane];
    }
  }
}

static void spatialMeanGradient(const void *arguments, NNInt task, float *scratch) {
  const NNSpatialMean *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8);
  NNInt first = task * p->blocksPerTask, last = least(first + p->blocksPerTask, p->batch * blocks);
  for (NNInt at = first; at < last; at++) {
    f8 value = loadChannels(p->input + at / blocks * p->channels, at % blocks, p->channels) / (float)p->pixels;
    float *output = p->output + at * p->pixels * 8;
    for (NNInt i = 0; i < p->pixels; i++) store8(output + i * 8, value);
  }
}
