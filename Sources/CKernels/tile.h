// The matrix tile: [M x K] * [K x WIDTH] -> [M x WIDTH], M a constant, the sums in registers.
//
// Included twice: with WIDTH 16 and 8. The left side is read where it lies; the right side is packed [K][WIDTH]. A row
// of the result begins at c + m * rowStride, its second half of 8 at halfStride from there.
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(f, WIDTH)
#define LOAD JOIN(load, WIDTH)
#define RELU JOIN(relu, WIDTH)
#define NAME(name) JOIN(name, WIDTH)
// Cache lines that are fetched for every 8 columns, as parts of what is read of the right side.
#define ALL (WIDTH / 2)
#define MOST (WIDTH * 3 / 8)
#define HALF (WIDTH / 4)
#define SOME (WIDTH * 3 / 16)

INLINE VECTOR NAME(gather)(const float *p, NNInt halfStride) {
#if WIDTH == 16
  f16 v;
  v.lo = load8(p);
  v.hi = load8(p + halfStride);
  return v;
#else
  return load8(p);
#endif
}

INLINE void NAME(scatter)(float *p, NNInt halfStride, VECTOR v) {
#if WIDTH == 16
  store8(p, v.lo);
  store8(p + halfStride, v.hi);
#else
  store8(p, v);
#endif
}

/// sum[m] += row[m][k...] * b, for `count` columns of the left side; returns where the right side goes on. For every 8
/// columns `lines` cache lines are fetched at `*ahead`, which goes on by `pace` floats.
INLINE const float *NAME(multiply)(
  const int M, VECTOR sum[], const float *const row[], NNInt k, NNInt count, const float *b, const float **ahead,
  const int lines, NNInt pace
) {
  for (; count >= 8; count -= 8, k += 8, b += 8 * WIDTH, *ahead += pace) {
    UNROLL for (int i = 0; i < lines; i++) __builtin_prefetch(*ahead + i * 16, 0, 2);
    UNROLL for (int i = 0; i < 8; i++) {
      VECTOR right = LOAD(b + i * WIDTH);
      UNROLL for (int m = 0; m < M; m++) sum[m] += row[m][k + i] * right;
    }
  }
  for (; count > 0; count--, k++, b += WIDTH) {
    VECTOR right = LOAD(b);
    UNROLL for (int m = 0; m < M; m++) sum[m] += row[m][k] * right;
  }
  return b;
}

INLINE void NAME(begin)(
  const int M, VECTOR sum[], const float *c, NNInt rowStride, NNInt halfStride, const float *bias, NNInt accumulate
) {
  if (accumulate) {
    UNROLL for (int m = 0; m < M; m++) sum[m] = NAME(gather)(c + m * rowStride, halfStride);
  } else {
    VECTOR first = bias ? LOAD(bias) : (VECTOR)0;
    UNROLL for (int m = 0; m < M; m++) sum[m] = first;
  }
}

INLINE void NAME(finish)(
  const int M, VECTOR sum[], float *c, NNInt rowStride, NNInt halfStride, const float *residual, NNInt relu
) {
  if (residual) {
    UNROLL for (int m = 0; m < M; m++) sum[m] += NAME(gather)(residual + m * rowStride, halfStride);
  }
  if (relu) {
    UNROLL for (int m = 0; m < M; m++) sum[m] = RELU(sum[m]);
  }
  UNROLL for (int m = 0; m < M; m++) NAME(scatter)(c + m * rowStride, halfStride, sum[m]);
}

/// Fetches the residual, and where the result goes.
INLINE void NAME(fetch)(const int M, const float *c, NNInt rowStride, NNInt halfStride, const float *residual) {
  UNROLL for (int m = 0; m < M; m += 2) {
    UNROLL for (int half = 0; half < WIDTH / 8; half++) {
      __builtin_prefetch(residual + m * rowStride + half * halfStride, 0, 3);
      __builtin_prefetch(c + m * rowStride + half * halfStride, 1, 3);
    }
  }
}

// The tile with everything that a convolution's task needs.
typedef struct NAME(Tile) {
  const int32_t *segments;
  NNInt segmentCount, run, rowStride, halfStride;
  NNInt pace;  // of what is fetched; 0 where nothing is, which leaves more of the loads for the arithmetic
  const float *bias;
  NNInt accumulate, relu;
} NAME(Tile);

INLINE void NAME(multiplySegments)(
  const int M, VECTOR sum[], const float *const row[], const NAME(Tile) * t, const float *b, const float *ahead,
  const int lines
) {
  for (NNInt s = 0; s < t->segmentCount; s++) {
    b = NAME(multiply)(M, sum, row, t->segments[s], t->run, b, &ahead, lines, t->pace);
  }
}

// `indirect`: row m begins at a + offsets[m] and is read in segments of `run` at segments[s]. `stepped`: row m begins
// at a + m * stride and is read in pieces of 16 that lie `step` apart, the last one perhaps 8; there are
// three of it, for tiles that fetch what lies `ahead` alone, by twos, or by more. `dense`: rows lie whole.
#define STEPPED(name, M, lines) \
  static void JOIN(NAME(name), _##M)( \
    const float *a, NNInt stride, NNInt step, NNInt inner, const float *b, float *c, NNInt rowStride, \
    const float *ahead \
  ) { \
    VECTOR sum[16]; \
    const float *row[16]; \
    UNROLL for (int m = 0; m < M; m++) row[m] = a + m * stride; \
    NAME(begin)(M, sum, c, rowStride, 8, 0, 0); \
    NNInt k = 0; \
    for (; inner >= 16; inner -= 16, k += step) { \
      b = NAME(multiply)(M, sum, row, k, 16, b, &ahead, lines, lines * 16); \
    } \
    NAME(multiply)(M, sum, row, k, inner, b, &ahead, lines, lines * 16); \
    NAME(finish)(M, sum, c, rowStride, 8, 0, 0); \
  }
#define FUNCTION(M) \
  static void JOIN(NAME(indirect), _##M)( \
    const NAME(Tile) * t, const float *a, const int32_t *offsets, const float *b, float *c, const float *residual, \
    const float *ahead \
  ) { \
    VECTOR sum[16]; \
    const float *row[16]; \
    UNROLL for (int m = 0; m < M; m++) row[m] = a + offsets[m]; \
    if (residual) NAME(fetch)(M, c, t->rowStride, t->halfStride, residual); \
    NAME(begin)(M, sum, c, t->rowStride, t->halfStride, t->bias, t->accumulate); \
    if (t->pace) { \
      NAME(multiplySegments)(M, sum, row, t, b, ahead, HALF); \
    } else { \
      NAME(multiplySegments)(M, sum, row, t, b, ahead, 0); \
    } \
    NAME(finish)(M, sum, c, t->rowStride, t->halfStride, residual, t->relu); \
  } \
  STEPPED(stepped, M, SOME) \
  STEPPED(steppedOfTwo, M, MOST) \
  STEPPED(steppedAlone, M, ALL) \
  static void JOIN(NAME(dense), _##M)( \
    const float *a, NNInt stride, NNInt inner, const float *b, float *c, NNInt rowStride, const float *bias, \
    NNInt accumulate, NNInt relu, const float *ahead \
  ) { \
    VECTOR sum[16]; \
    const float *row[16]; \
    UNROLL for (int m = 0; m < M; m++) row[m] = a + m * stride; \
    NAME(begin)(M, sum, c, rowStride, 8, bias, accumulate); \
    NAME(multiply)(M, sum, row, 0, inner, b, &ahead, HALF, HALF * 16); \
    NAME(finish)(M, sum, c, rowStride, 8, 0, relu); \
  }
FOR_EACH_HEIGHT(FUNCTION)
#undef FUNCTION
#undef STEPPED

typedef void (*NAME(Indirect))(
  const NAME(Tile) *, const float *, const int32_t *, const float *, float *, const float *, const float *);
typedef void (*NAME(Stepped))(
  const float *, NNInt, NNInt, NNInt, const float *, float *, NNInt, const float *);
typedef void (*NAME(Dense))(
  const float *, NNInt, NNInt, const float *, float *, NNInt, const float *, NNInt, NNInt, const float *);

#define ENTRY(M) JOIN(NAME(indirect), _##M),
static const NAME(Indirect) NAME(indirectOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY
#define ENTRY(M) JOIN(NAME(stepped), _##M),
static const NAME(Stepped) NAME(steppedOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY
#define ENTRY(M) JOIN(NAME(steppedOfTwo), _##M),
static const NAME(Stepped) NAME(steppedOfTwoOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY
#define ENTRY(M) JOIN(NAME(steppedAlone), _##M),
static const NAME(Stepped) NAME(steppedAloneOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY
#define ENTRY(M) JOIN(NAME(dense), _##M),
static const NAME(Dense) NAME(denseOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY

#undef VECTOR
#undef LOAD
#undef RELU
#undef NAME
#undef ALL
#undef MOST
#undef HALF
#undef SOME
#undef JOIN
#undef JOIN_
