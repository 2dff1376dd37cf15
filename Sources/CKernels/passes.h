// Pooling, elementwise passes, softmax and the changes of layout.

static void pooling(const void *arguments, NNInt task, float *scratch) {
  const NNPooling *p = arguments;
  NNInt first = task * p->planesPerTask, last = least(first + p->planesPerTask, p->planes);
  for (NNInt plane = first; plane < last; plane++) {
    const float *input = p->input + plane * p->inputHeight * p->inputWidth * 8;
    float *output = p->output + plane * p->outputHeight * p->outputWidth * 8;
    for (NNInt oy = 0; oy < p->outputHeight; oy++) {
      NNInt y = oy * p->strideY - p->padTop;
      NNInt y0 = most(0, y), y1 = least(p->inputHeight, y + p->kernelHeight);
      for (NNInt ox = 0; ox < p->outputWidth; ox++, output += 8) {
        NNInt x = ox * p->strideX - p->padLeft;
        NNInt x0 = most(0, x), x1 = least(p->inputWidth, x + p->kernelWidth);
        const float *row = input + (y0 * p->inputWidth + x0) * 8;
        f8 value = p->maximum ? load8(row) : (f8)0;
        for (NNInt i = y0; i < y1; i++, row += p->inputWidth * 8) {
          if (p->maximum) {
            // A number that is not one wins and stays.
            for (NNInt j = 0; j < x1 - x0; j++) {
              f8 other = load8(row + j * 8);
              value = ((other > value) | (other != other)) ? other : value;
            }
          } else {
            for (NNInt j = 0; j < x1 - x0; j++) value += load8(row + j * 8);
          }
        }
        if (!p->maximum) {
          value *= 1.0f / (float)(p->countPadding ? p->kernelHeight * p->kernelWidth : (y1 - y0) * (x1 - x0));
        }
        store8(output, value);
      }
    }
  }
}

static void spatialMean(const void *arguments, NNInt task, float *scratch) {
  const NNSpatialMean *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8);
  NNInt first = task * p->blocksPerTask, last = least(first + p->blocksPerTask, p->batch * blocks);
  for (NNInt at = first; at < last; at++) {
    const float *input = p->input + at * p->pixels * 8;
    f8 s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    NNInt i = 0;
    for (; i + 4 <= p->pixels; i += 4, input += 32) {
      s0 += load8(input);
      s1 += load8(input + 8);
      s2 += load8(input + 16);
      s3 += load8(input + 24);
    }
    for (; i < p->pixels; i++, input += 8) s0 += load8(input);
    s0 = ((s0 + s1) + (s2 + s3)) / (float)p->pixels;
    NNInt image = at / blocks, channel = at % blocks * 8, lanes = least(8, p->channels - channel);
    float *output = p->output + image * p->channels + channel;
    if (lanes == 8) {
      store8(output, s0);
    } else {
      for (NNInt lane = 0; lane < lanes; lane++) output[lane] = s0[lane];
    }
  }
}

// e^x: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2] (Taylor to the seventh term, off by less than 2 units in the
// last place); 0 and infinity where a float has no other.
INLINE f8 exponential8(f8 x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  f8 limited = x > 88.8f ? (f8)88.8f : x;
  limited = limited < -104.0f ? (f8)-104.0f : limited;
  f8 n = (limited * 1.44269504088896341f + magic) - magic;
  f8 r = (limited - n * 0.693359375f) + n * 2.12194440e-4f;
  f8 y = 1.0f / 5040 * r + 1.0f / 720;
  y = y * r + 1.0f / 120;
  y = y * r + 1.0f / 24;
  y = y * r + 1.0f / 6;
  y = y * r + 0.5f;
  y = (y * r) * r + (r + 1.0f);
  // Two halves of the power, since 2^128 and 2^-149 are beyond a single normal factor.
  i8 power = __builtin_convertvector(n != n ? (f8)0 : n, i8), half = power >> 1;
  f8 factor1 = (f8)((half + 127) << 23), factor2 = (f8)((power - half + 127) << 23);
  return (y * factor1) * factor2;
}

INLINE f8 sigmoid8(f8 x) { return 1.0f / (1.0f + exponential8(-x)); }

INLINE f8 tanh8(f8 x) {
  f8 e = exponential8(2.0f * x);
  f8 far = x > 10.0f ? (f8)1.0f : (e - 1.0f) / (e + 1.0f);
  // Near 0 the difference above cancels: tanh x = x - x^3 / 3 + 2 x^5 / 15 - ...
  f8 s = x * x;
  f8 near = -1382.0f / 155925 * s + 62.0f / 2835;
  near = near * s - 17.0f / 315;
  near = near * s + 2.0f / 15;
  near = near * s - 1.0f / 3;
  near = (near * s) * x + x;
  return s < 0.0625f ? near : far;
}

INLINE f8 apply8(NNFunction function, f8 x) {
  switch (function) {
    case NN_IDENTITY: return x;
    case NN_RELU: return relu8(x);
    case NN_SIGMOID: return sigmoid8(x);
    case NN_TANH: return tanh8(x);
    default: return x;
  }
}

INLINE f8 combine8(NNFunction function, f8 x, f8 y) {
  switch (function) {
    case NN_PRODUCT: return x * y;
    case NN_RELU_GRADIENT: return y > 0 ? x : (f8)0;
    case NN_SIGMOID_GRADIENT: return x * y * (1.0f - y);
    case NN_TANH_GRADIENT: return x * (1.0f - y * y);
    default: return apply8(function, x + y);
  }
}

static void elementwise(const void *arguments, NNInt task, float *scratch) {
  const NNElementwise *e = arguments;
  NNInt first = task * e->countPerTask, last = least(first + e->countPerTask, e->count), i = first;
  for (; i + 8 <= last; i += 8) {
    f8 x = load8(e->first + i);
    store8(e->output + i, e->second ? combine8(e->function, x, load8(e->second + i)) : apply8(e->function, x));
  }
  if (i < last) {
    f8 x = 0, y = 0;
    for (NNInt j = i; j < last; j++) {
      x[j - i] = e->first[j];
      if (e->second) y[j - i] = e->second[j];
    }
    x = e->second ? combine8(e->function, x, y) : apply8(e->function, x);
    for (NNInt j = i; j < last; j++) e->output[j] = x[j - i];
  }
}

static void affine(const void *arguments, NNInt task, float *scratch) {
  const NNAffine *p = arguments;
  NNInt first = task * p->planesPerTask, last = least(first + p->planesPerTask, p->batch * p->blocks);
  for (NNInt plane = first; plane < last; plane++) {
    f8 scale = load8(p->scale + plane % p->blocks * 8), shift = load8(p->shift + plane % p->blocks * 8);
    const float *input = p->input + plane * p->pixels * 8;
    float *output = p->output + plane * p->pixels * 8;
    for (NNInt i = 0; i < p->pixels; i++) {
      f8 value = load8(input + i * 8) * scale + shift;
      store8(output + i * 8, p->relu ? relu8(value) : value);
    }
  }
}

static void softmax(const void *arguments, NNInt task, float *scratch) {
  const NNSoftmax *p = arguments;
  NNInt first = task * p->rowsPerTask, last = least(first + p->rowsPerTask, p->rows);
  for (NNInt row = first; row < last; row++) {
    const float *in = p->input + row * p->columns;
    float *out = p->output + row * p->columns, largest = in[0], sum = 0;
    for (NNInt i = 1; i < p->columns; i++) largest = in[i] > largest ? in[i] : largest;
    for (NNInt i = 0; i < p->columns; i += 8) {
      NNInt lanes = least(8, p->columns - i);
      f8 x = 0;
      for (NNInt j = 0; j < lanes; j++) x[j] = in[i + j];
      x = exponential8(x - largest);
      for (NNInt j = 0; j < lanes; j++) {
        out[i + j] = x[j];
        sum += x[j];
      }
    }
    for (NNInt i = 0; i < p->columns; i++) out[i] /= sum;
  }
}

static void block(const void *arguments, NNInt task, float *scratch) {
  const NNReorder *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), pixels = p->height * p->width;
  NNInt first = task * p->blocksPerTask, last = least(first + p->blocksPerTask, p->batch * blocks);
  for (NNInt at = first; at < last; at++) {
    NNInt channel = at % blocks * 8, lanes = least(8, p->channels - channel);
    const float *from = p->input + at / blocks * p->imageStride + channel * p->channelStride;
    float *to = p->output + at * pixels * 8;
    for (NNInt y = 0; y < p->height; y++) {
      const float *in = from + y * p->rowStride;
      for (NNInt x = 0; x < p->width; x++, in += p->pixelStride, to += 8) {
        if (lanes == 8) {
          UNROLL for (int lane = 0; lane < 8; lane++) to[lane] = in[lane * p->channelStride];
        } else {
          for (NNInt lane = 0; lane < 8; lane++) to[lane] = lane < lanes ? in[lane * p->channelStride] : 0;
        }
      }
    }
  }
}

static void unblock(const void *arguments, NNInt task, float *scratch) {
  const NNReorder *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), pixels = p->height * p->width;
  NNInt first = task * p->blocksPerTask, last = least(first + p->blocksPerTask, p->batch * blocks);
  for (NNInt at = first; at < last; at++) {
    NNInt channel = at % blocks * 8, lanes = least(8, p->channels - channel);
    float *to = p->output + at / blocks * p->imageStride + channel * p->channelStride;
    const float *from = p->input + at * pixels * 8;
    for (NNInt lane = 0; lane < lanes; lane++) {
      const float *in = from + lane;
      for (NNInt y = 0; y < p->height; y++) {
        float *out = to + lane * p->channelStride + y * p->rowStride;
        for (NNInt x = 0; x < p->width; x++, in += 8, out += p->pixelStride) *out = *in;
      }
    }
  }
}

static void channelCopy(const void *arguments, NNInt task, float *scratch) {
  const NNChannelCopy *p = arguments;
  NNInt inputBlocks = nnCeilDivide(p->inputChannels, 8), outputBlocks = nnCeilDivide(p->outputChannels, 8);
  const float *input = p->input + task * inputBlocks * p->pixels * 8;
  float *output = p->output + task * outputBlocks * p->pixels * 8;
  NNInt last = p->firstChannel + p->channels;
  for (NNInt block = p->firstChannel / 8; block < (p->zeroFill ? outputBlocks : nnCeilDivide(last, 8)); block++) {
    float *to = output + block * p->pixels * 8;
    if (p->firstChannel % 8 == 0 && block * 8 + 8 <= last) {
      memcpy(to, input + (block - p->firstChannel / 8) * p->pixels * 8, (size_t)p->pixels * 32);
      continue;
    }
    for (NNInt lane = 0; lane < 8; lane++) {
      NNInt channel = block * 8 + lane - p->firstChannel;
      if (channel >= 0 && channel < p->channels) {
        const float *from = input + channel / 8 * p->pixels * 8 + channel % 8;
        for (NNInt i = 0; i < p->pixels; i++) to[i * 8 + lane] = from[i * 8];
      } else if (channel >= p->channels) {
        for (NNInt i = 0; i < p->pixels; i++) to[i * 8 + lane] = 0;
      }
    }
  }
}

static float peak(NNInt iterations) {
  f16 sum[MAX_HEIGHT];
  f16 x = 0.999999f, y = 1e-6f;
  UNROLL for (int m = 0; m < MAX_HEIGHT; m++) sum[m] = (float)m;
  for (NNInt i = 0; i < iterations; i++) {
    UNROLL for (int m = 0; m < MAX_HEIGHT; m++) sum[m] = sum[m] * x + y;
    __asm__ volatile("" ::: "memory");
  }
  f16 total = 0;
  UNROLL for (int m = 0; m < MAX_HEIGHT; m++) total += sum[m];
  return total[0] + total[9];
}
