// What only training needs: gradients, and normalisation by the batch's own statistics.

// Some rows of output pixels for one kernel position: sum[c][o] += input[pixel][c] * gradient[pixel][o], 4 channels by 16
// filters. The pixels of the chunk are near each other, so that all kernel positions find them in the first-level cache.
INLINE void filterGradientTile(
  const float *input, NNInt inputRow, NNInt inputPixel, const float *gradient, NNInt gradientRow, NNInt half, NNInt rows,
  NNInt columns, float *sums
) {
  f16 sum[4];
  UNROLL for (int c = 0; c < 4; c++) sum[c] = load16(sums + c * 16);
  for (NNInt y = 0; y < rows; y++) {
    const float *x = input + y * inputRow, *g = gradient + y * gradientRow;
    for (NNInt i = 0; i < columns; i++, x += inputPixel, g += 8) {
      f16 right;
      right.lo = load8(g);
      right.hi = load8(g + half);
      UNROLL for (int c = 0; c < 4; c++) sum[c] += x[c] * right;
    }
  }
  UNROLL for (int c = 0; c < 4; c++) store16(sums + c * 16, sum[c]);
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
INLINE void spreadTile(const float *plane, NNInt height, NNInt width, NNInt y0, NNInt x0, float *to) {
  NNInt rows = least(4, height - y0), columns = least(4, width - x0);
  f8 half[6][4];
  UNROLL for (int j = 0; j < 4; j++) {
    f8 y[4], w[6];
    UNROLL for (int i = 0; i < 4; i++) {
      y[i] = i < rows && j < columns ? load8(plane + ((y0 + i) * width + x0 + j) * 8) : (f8)0;
    }
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

// The filter gradient of a 3x3 convolution as the gradient of Winograd's form: the input's and the result's tiles
// transformed, multiplied position by position and summed over all tiles, and the sums transformed back.
static void filterGradientByTiles(const NNFilterGradient *p, NNInt task, float *scratch) {
  NNInt inputBlocks = nnCeilDivide(p->channels, 8), outputBlocks = nnCeilDivide(p->filters, 8);
  NNInt together = nnGradientBlocks(p), chunks = nnCeilDivide(inputBlocks, together);
  NNInt panel = task / chunks, firstBlock = task % chunks * together;
  NNInt blocks = least(together, inputBlocks - firstBlock), halves = least(2, outputBlocks - panel * 2);
  NNInt inputPlane = p->inputHeight * p->inputWidth * 8, plane = p->outputHeight * p->outputWidth * 8;
  NNInt tilesX = nnCeilDivide(p->outputWidth, 4), tilesY = nnCeilDivide(p->outputHeight, 4);
  NNInt total = p->batch * tilesY * tilesX, inputStride = nnCeilDivide(together, 2) * 36 * 16;
  float *sums = scratch, *gradients = sums + together * 36 * 8 * 16, *inputs = gradients + GRADIENT_TILES * 36 * 16;
  float edge[6 * 6 * 8];
  memset(sums, 0, (size_t)(together * 36 * 8 * 16) * 4);
  memset(gradients, 0, (size_t)(GRADIENT_TILES * 36 * 16) * 4);
  NNInt tx = 0, ty = 0, image = 0;
  for (NNInt first = 0; first < total; first += GRADIENT_TILES) {
    NNInt tiles = least(GRADIENT_TILES, total - first);
    for (NNInt t = 0; t < tiles; t++) {
      for (NNInt half = 0; half < halves; half++) {
        spreadTile(
          p->gradient + (image * outputBlocks + panel * 2 + half) * plane, p->outputHeight, p->outputWidth, ty * 4,
          tx * 4, gradients + t * 36 * 16 + half * 8);
      }
      for (NNInt block = 0; block < blocks; block++) {
        transformTile(
          4, p->input + (image * inputBlocks + firstBlock + block) * inputPlane, p->inputHeight, p->inputWidth,
          ty * 4 - p->padTop, tx * 4 - p->padLeft, edge, inputs + t * inputStride + block / 2 * 36 * 16 + block % 2 * 8);
      }
      nextTile(&tx, &ty, &image, tilesX, tilesY);
    }
    for (NNInt block = 0; block < blocks; block++) {
      for (NNInt position = 0; position < 36; position++) {
        for (int c = 0; c < 8; c += 4) {
          const float *v = inputs + block / 2 * 36 * 16 + block % 2 * 8 + position * 16 + c;
          const float *w = gradients + position * 16;
          float *to = sums + ((block * 36 + position) * 8 + c) * 16;
          f16 sum[4];
          UNROLL for (int i = 0; i < 4; i++) sum[i] = load16(to + i * 16);
          for (NNInt t = 0; t < tiles; t++, v += inputStride, w += 36 * 16) {
            f16 right = load16(w);
            UNROLL for (int i = 0; i < 4; i++) sum[i] += v[i] * right;
          }
          UNROLL for (int i = 0; i < 4; i++) store16(to + i * 16, sum[i]);
        }
      }
    }
  }
  NNInt filters = least(16, p->filters - panel * 16);
  for (NNInt block = 0; block < blocks; block++) {
    for (NNInt c = 0; c < least(8, p->channels - (firstBlock + block) * 8); c++) {
      f16 columns[6][3];
      for (int j = 0; j < 6; j++) {
        f16 u[6], g[3];
        for (int i = 0; i < 6; i++) u[i] = load16(sums + ((block * 36 + i * 6 + j) * 8 + c) * 16);
        filterRestore(u, g);
        for (int i = 0; i < 3; i++) columns[j][i] = g[i];
      }
      for (int i = 0; i < 3; i++) {
        f16 u[6], g[3];
        for (int j = 0; j < 6; j++) u[j] = columns[j][i];
        filterRestore(u, g);
        for (NNInt f = 0; f < filters; f++) {
          float *to = p->output + ((panel * 16 + f) * p->channels + (firstBlock + block) * 8 + c) * 9 + i * 3;
          for (int j = 0; j < 3; j++) to[j] = g[j][f];
        }
      }
    }
  }
}

static void filterGradient(const void *arguments, NNInt task, float *scratch) {
  const NNFilterGradient *p = arguments;
  if (nnGradientByTiles(p)) {
    filterGradientByTiles(p, task, scratch);
    return;
  }
  NNInt inputBlocks = nnCeilDivide(p->channels, 8), outputBlocks = nnCeilDivide(p->filters, 8);
  NNInt ky = task % p->kernelHeight, block = task / p->kernelHeight % inputBlocks;
  NNInt panel = task / p->kernelHeight / inputBlocks;
  NNInt inputPlane = p->inputHeight * p->inputWidth * 8, plane = p->outputHeight * p->outputWidth * 8;
  NNInt half = panel * 2 + 1 < outputBlocks ? plane : 0;
  memset(scratch, 0, (size_t)(p->kernelWidth * 128) * 4);
  // Rows whose input row for this kernel row lies inside the image.
  NNInt shift = ky * p->dilationY - p->padTop;
  NNInt firstY = shift < 0 ? nnCeilDivide(-shift, p->strideY) : 0;
  NNInt lastY = shift >= p->inputHeight ? 0 : least(p->outputHeight, (p->inputHeight - 1 - shift) / p->strideY + 1);
  NNInt chunk = most(1, 96 / p->outputWidth);
  for (NNInt image = 0; image < p->batch; image++) {
    const float *input = p->input + (image * inputBlocks + block) * inputPlane;
    const float *gradient = p->gradient + (image * outputBlocks + panel * 2) * plane;
    for (NNInt y = firstY; y < lastY; y += chunk) {
      NNInt rows = least(chunk, lastY - y);
      const float *inputRow = input + (y * p->strideY + shift) * p->inputWidth * 8;
      for (NNInt kx = 0; kx < p->kernelWidth; kx++) {
        NNInt shiftX = kx * p->dilationX - p->padLeft;
        NNInt firstX = shiftX < 0 ? nnCeilDivide(-shiftX, p->strideX) : 0;
        NNInt lastX = shiftX >= p->inputWidth ? 0 : least(p->outputWidth, (p->inputWidth - 1 - shiftX) / p->strideX + 1);
        if (lastX <= firstX) continue;
        for (int c = 0; c < 8; c += 4) {
          filterGradientTile(
            inputRow + (firstX * p->strideX + shiftX) * 8 + c, p->strideY * p->inputWidth * 8, p->strideX * 8,
            gradient + (y * p->outputWidth + firstX) * 8, p->outputWidth * 8, half, rows, lastX - firstX,
            scratch + (kx * 8 + c) * 16);
        }
      }
    }
  }
  NNInt channels = least(8, p->channels - block * 8), filters = least(16, p->filters - panel * 16);
  for (NNInt f = 0; f < filters; f++) {
    for (NNInt c = 0; c < channels; c++) {
      float *to = p->output + (((panel * 16 + f) * p->channels + block * 8 + c) * p->kernelHeight + ky) * p->kernelWidth;
      for (NNInt kx = 0; kx < p->kernelWidth; kx++) to[kx] = scratch[(kx * 8 + c) * 16 + f];
    }
  }
}

// A vector of a block of channels, zeros beyond the last.
INLINE f8 loadChannels(const float *vector, NNInt block, NNInt channels) {
  f8 v = 0;
  for (NNInt lane = 0; lane < least(8, channels - block * 8); lane++) v[lane] = vector[block * 8 + lane];
  return v;
}

INLINE void storeChannels(float *vector, NNInt block, NNInt channels, f8 v) {
  for (NNInt lane = 0; lane < least(8, channels - block * 8); lane++) vector[block * 8 + lane] = v[lane];
}

static void normalize(const void *arguments, NNInt block, float *scratch) {
  const NNNormalize *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8);
  double count = (double)(p->batch * p->pixels);
  const float *input = p->input + block * p->pixels * 8;
  NNInt image = blocks * p->pixels * 8;
  // Sums of differences from one of the numbers: what is squared is then no larger than it need be.
  f8 pivot = load8(input);
  d8 total = 0, squares = 0;
  for (NNInt n = 0; n < p->batch; n++) {
    const float *x = input + n * image;
    for (NNInt first = 0; first < p->pixels; first += 1024) {
      NNInt last = least(first + 1024, p->pixels), i = first;
      f8 s0 = 0, s1 = 0, q0 = 0, q1 = 0;
      for (; i + 2 <= last; i += 2) {
        f8 a = load8(x + i * 8) - pivot, b = load8(x + i * 8 + 8) - pivot;
        s0 += a;
        s1 += b;
        q0 += a * a;
        q1 += b * b;
      }
      if (i < last) {
        f8 a = load8(x + i * 8) - pivot;
        s0 += a;
        q0 += a * a;
      }
      total += __builtin_convertvector(s0 + s1, d8);
      squares += __builtin_convertvector(q0 + q1, d8);
    }
  }
  d8 shift = total / count, spread = squares / count - shift * shift;
  spread = spread < 0 ? (d8)0 : spread;
  d8 mean = __builtin_convertvector(pivot, d8) + shift, scale = 0;
  for (int lane = 0; lane < 8; lane++) scale[lane] = 1 / __builtin_sqrt(spread[lane] + p->epsilon);
  storeChannels(p->mean, block, p->channels, __builtin_convertvector(mean, f8));
  storeChannels(p->variance, block, p->channels, __builtin_convertvector(spread, f8));
  scale *= __builtin_convertvector(loadChannels(p->gamma, block, p->channels), d8);
  d8 offset = __builtin_convertvector(loadChannels(p->beta, block, p->channels), d8) - mean * scale;
  f8 factor = __builtin_convertvector(scale, f8), summand = __builtin_convertvector(offset, f8);
  for (NNInt n = 0; n < p->batch; n++) {
    const float *x = input + n * image;
    NNInt at = n * image + block * p->pixels * 8;
    float *output = p->output + at;
    const float *residual = p->residual ? p->residual + at : 0;
    for (NNInt i = 0; i < p->pixels * 8; i += 8) {
      f8 y = load8(x + i) * factor + summand;
      if (residual) y += load8(residual + i);
      store8(output + i, p->relu ? relu8(y) : y);
    }
  }
}

static void normalizeGradient(const void *arguments, NNInt block, float *scratch) {
  const NNNormalizeGradient *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8), image = blocks * p->pixels * 8, start = block * p->pixels * 8;
  double count = (double)(p->batch * p->pixels);
  f8 mean = loadChannels(p->mean, block, p->channels), variance = loadChannels(p->variance, block, p->channels);
  f8 inverse = 0;
  for (int lane = 0; lane < 8; lane++) inverse[lane] = (float)(1 / __builtin_sqrt(variance[lane] + p->epsilon));
  d8 sum = 0, product = 0;
  for (NNInt n = 0; n < p->batch; n++) {
    const float *g = p->gradient + n * image + start, *x = p->input + n * image + start;
    const float *z = p->activated ? p->activated + n * image + start : 0;
    for (NNInt first = 0; first < p->pixels; first += 1024) {
      NNInt last = least(first + 1024, p->pixels);
      f8 s0 = 0, s1 = 0;
      for (NNInt i = first * 8; i < last * 8; i += 8) {
        f8 value = load8(g + i);
        if (z) value = load8(z + i) > 0 ? value : (f8)0;
        s0 += value;
        s1 += value * (load8(x + i) - mean);
      }
      sum += __builtin_convertvector(s0, d8);
      product += __builtin_convertvector(s1, d8);
    }
  }
  product *= __builtin_convertvector(inverse, d8);
  storeChannels(p->betaGradient, block, p->channels, __builtin_convertvector(sum, f8));
  storeChannels(p->gammaGradient, block, p->channels, __builtin_convertvector(product, f8));
  // scale * (g - mean(g) - normalised x * mean(g * normalised x)) = scale * g + slope * x + offset
  f8 scale = loadChannels(p->gamma, block, p->channels) * inverse;
  f8 slope = -scale * inverse * __builtin_convertvector(product / count, f8);
  f8 meanGradient = __builtin_convertvector(sum / count, f8);
  for (NNInt n = 0; n < p->batch; n++) {
    const float *g = p->gradient + n * image + start, *x = p->input + n * image + start;
    const float *z = p->activated ? p->activated + n * image + start : 0;
    float *output = p->output + n * image + start;
    for (NNInt i = 0; i < p->pixels * 8; i += 8) {
      f8 value = load8(g + i);
      if (z) value = load8(z + i) > 0 ? value : (f8)0;
      store8(output + i, scale * (value - meanGradient) + slope * (load8(x + i) - mean));
    }
  }
}

static void channelSum(const void *arguments, NNInt block, float *scratch) {
  const NNChannelSum *p = arguments;
  NNInt blocks = nnCeilDivide(p->channels, 8);
  d8 total = 0;
  for (NNInt n = 0; n < p->batch; n++) {
    const float *x = p->input + (n * blocks + block) * p->pixels * 8;
    for (NNInt first = 0; first < p->pixels; first += 1024) {
      f8 sum = 0;
      for (NNInt i = first; i < least(first + 1024, p->pixels); i++) sum += load8(x + i * 8);
      total += __builtin_convertvector(sum, d8);
    }
  }
  storeChannels(p->output, block, p->channels, __builtin_convertvector(total, f8));
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
