// The matrix tile: [M x K] * [K x WIDTH] -> [M x WIDTH], M a constant, the sums in registers.
//
// Included twice: with WIDTH 16 and 8. Row m of the left side begins at a + offsets[m] (or a + m * stride where
// `offsets` is null) and is read in segments of `run` elements at segments[s] (or one segment, where `segments` is
// null). The right side is packed [K][WIDTH]. A row of the result begins at c + m * rowStride, its second half of 8
// at halfStride from there.
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(f, WIDTH)
#define LOAD JOIN(load, WIDTH)
#define RELU JOIN(relu, WIDTH)
#define NAME(name) JOIN(name, WIDTH)

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

INLINE void NAME(tile)(
  const int M, const float *a, const int32_t *offsets, NNInt stride, const int32_t *segments, NNInt segmentCount,
  NNInt run, const float *b, float *c, NNInt rowStride, NNInt halfStride, const float *bias, const float *residual,
  NNInt accumulate, NNInt relu
) {
  VECTOR sum[16];
  const float *row[16];
  UNROLL for (int m = 0; m < M; m++) row[m] = a + (offsets ? offsets[m] : m * stride);
  if (accumulate) {
    UNROLL for (int m = 0; m < M; m++) sum[m] = NAME(gather)(c + m * rowStride, halfStride);
  } else if (bias) {
    VECTOR first = LOAD(bias);
    UNROLL for (int m = 0; m < M; m++) sum[m] = first;
  } else {
    UNROLL for (int m = 0; m < M; m++) sum[m] = 0;
  }
  NNInt s = 0;
  do {
    NNInt k = segments ? segments[s] : 0;
    NNInt end = k + run;
    do {
      VECTOR right = LOAD(b);
      UNROLL for (int m = 0; m < M; m++) sum[m] += row[m][k] * right;
      b += WIDTH;
    } while (++k < end);
  } while (++s < segmentCount);
  if (residual) {
    UNROLL for (int m = 0; m < M; m++) sum[m] += NAME(gather)(residual + m * rowStride, halfStride);
  }
  if (relu) {
    UNROLL for (int m = 0; m < M; m++) sum[m] = RELU(sum[m]);
  }
  UNROLL for (int m = 0; m < M; m++) NAME(scatter)(c + m * rowStride, halfStride, sum[m]);
}

// The tile with everything that a convolution's task needs.
typedef struct NAME(Tile) {
  const int32_t *segments;
  NNInt segmentCount, run, rowStride, halfStride;
  const float *bias;
  NNInt accumulate, relu;
} NAME(Tile);

#define FUNCTION(M) \
  static void JOIN(NAME(indirect), _##M)( \
    const NAME(Tile) * t, const float *a, const int32_t *offsets, const float *b, float *c, const float *residual \
  ) { \
    NAME(tile)( \
      M, a, offsets, 0, t->segments, t->segmentCount, t->run, b, c, t->rowStride, t->halfStride, t->bias, residual, \
      t->accumulate, t->relu); \
  } \
  static void JOIN(NAME(plain), _##M)(const float *a, NNInt stride, NNInt inner, const float *b, float *c, NNInt rowStride) { \
    NAME(tile)(M, a, 0, stride, 0, 1, inner, b, c, rowStride, 8, 0, 0, 0, 0); \
  } \
  static void JOIN(NAME(dense), _##M)( \
    const float *a, NNInt stride, NNInt inner, const float *b, float *c, NNInt rowStride, const float *bias, \
    NNInt accumulate, NNInt relu \
  ) { \
    NAME(tile)(M, a, 0, stride, 0, 1, inner, b, c, rowStride, 8, bias, 0, accumulate, relu); \
  }
FOR_EACH_HEIGHT(FUNCTION)
#undef FUNCTION

typedef void (*NAME(Indirect))(
  const NAME(Tile) *, const float *, const int32_t *, const float *, float *, const float *);
typedef void (*NAME(Plain))(const float *, NNInt, NNInt, const float *, float *, NNInt);
typedef void (*NAME(Dense))(
  const float *, NNInt, NNInt, const float *, float *, NNInt, const float *, NNInt, NNInt);

#define ENTRY(M) JOIN(NAME(indirect), _##M),
static const NAME(Indirect) NAME(indirectOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY
#define ENTRY(M) JOIN(NAME(plain), _##M),
static const NAME(Plain) NAME(plainOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY
#define ENTRY(M) JOIN(NAME(dense), _##M),
static const NAME(Dense) NAME(denseOf)[] = {0, FOR_EACH_HEIGHT(ENTRY)};
#undef ENTRY

#undef VECTOR
#undef LOAD
#undef RELU
#undef NAME
#undef JOIN
#undef JOIN_
