// Depthwise convolution: every channel by its own kernel, 8 channels a vector. A task has some rows of one plane; the
// rows that it reads are copied into scratch with zeros around them unless no padding is needed.

INLINE void depthwiseRow(const NNDepthwise *d, const int M, const float *in, NNInt rowStride, const float *w, f8 bias,
                         float *out, const float *residual) {
  f8 sum[8];
  UNROLL for (int m = 0; m < M; m++) sum[m] = bias;
  NNInt step = d->strideX * 8, tap = d->dilationX * 8;
  for (NNInt y = 0; y < d->kernelHeight; y++) {
    const float *p = in + y * d->dilationY * rowStride;
    for (NNInt x = 0; x < d->kernelWidth; x++, p += tap, w += 8) {
      f8 right = load8(w);
      UNROLL for (int m = 0; m < M; m++) sum[m] += load8(p + m * step) * right;
    }
  }
  UNROLL for (int m = 0; m < M; m++) {
    if (residual) sum[m] += load8(residual + m * 8);
    if (d->relu) sum[m] = relu8(sum[m]);
    store8(out + m * 8, sum[m]);
  }
}

static void depthwise(const void *arguments, NNInt task, float *scratch) {
  const NNDepthwise *d = arguments;
  NNInt strips = nnCeilDivide(d->outputHeight, d->rows);
  NNInt firstY = task % strips * d->rows, plane = task / strips, block = plane % d->blocks;
  NNInt rows = least(d->rows, d->outputHeight - firstY);
  NNInt width = (d->outputWidth - 1) * d->strideX + (d->kernelWidth - 1) * d->dilationX + 1;
  NNInt firstRow = firstY * d->strideY - d->padTop;
  NNInt span = (rows - 1) * d->strideY + (d->kernelHeight - 1) * d->dilationY + 1;
  const float *input = d->input + plane * d->inputHeight * d->inputWidth * 8;
  NNInt rowStride;
  const float *base;
  if (d->padLeft == 0 && width <= d->inputWidth && firstRow >= 0 && firstRow + span <= d->inputHeight) {
    rowStride = d->inputWidth * 8;
    base = input + firstRow * rowStride;
  } else {
    rowStride = width * 8;
    base = scratch;
    NNInt before = least(d->padLeft, width), valid = least(d->inputWidth, width - before);
    NNInt after = width - before - valid;
    float *to = scratch;
    for (NNInt r = 0; r < span; r++, to += rowStride) {
      NNInt y = firstRow + r;
      if (y < 0 || y >= d->inputHeight) {
        memset(to, 0, (size_t)rowStride * 4);
        continue;
      }
      memset(to, 0, (size_t)before * 32);
      memcpy(to + before * 8, input + y * d->inputWidth * 8, (size_t)valid * 32);
      memset(to + (before + valid) * 8, 0, (size_t)after * 32);
    }
  }
  const float *weights = d->weights + block * d->kernelHeight * d->kernelWidth * 8;
  f8 bias = d->bias ? load8(d->bias + block * 8) : (f8)0;
  for (NNInt y = 0; y < rows; y++) {
    const float *in = base + y * d->strideY * rowStride;
    NNInt at = ((plane * d->outputHeight) + firstY + y) * d->outputWidth * 8;
    float *out = d->output + at;
    const float *residual = d->residual ? d->residual + at : 0;
    NNInt x = 0;
#define PIECE(M) \
  for (; x + M <= d->outputWidth; x += M) \
    depthwiseRow(d, M, in + x * d->strideX * 8, rowStride, weights, bias, out + x * 8, residual ? residual + x * 8 : 0)
    PIECE(8);
    PIECE(4);
    PIECE(1);
#undef PIECE
  }
}
