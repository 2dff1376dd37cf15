// Vectors of 8 and 16 floats, whatever the processor's registers hold: the compiler splits them.
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float v8 __attribute__((ext_vector_type(8), aligned(4), may_alias));
typedef float v16 __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef float f8 __attribute__((ext_vector_type(8)));
typedef float f16 __attribute__((ext_vector_type(16)));
typedef int i8 __attribute__((ext_vector_type(8)));
typedef double d8 __attribute__((ext_vector_type(8)));

INLINE f8 load8(const float *p) { return *(const v8 *)p; }
INLINE void store8(float *p, f8 v) { *(v8 *)p = v; }
INLINE f16 load16(const float *p) { return *(const v16 *)p; }
INLINE void store16(float *p, f16 v) { *(v16 *)p = v; }
// Not-a-number passes, as everywhere: `v < 0` is false for it.
INLINE f8 relu8(f8 v) { return v < 0 ? (f8)0 : v; }
INLINE f16 relu16(f16 v) { return v < 0 ? (f16)0 : v; }
// r[i][j] and r[j][i] change places.
INLINE void transpose8(f8 r[8]) {
  f8 a[8], b[8];
  UNROLL for (int i = 0; i < 4; i++) {
    a[2 * i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    a[2 * i + 1] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  UNROLL for (int i = 0; i < 2; i++) {
    UNROLL for (int j = 0; j < 2; j++) {
      b[4 * i + 2 * j] = __builtin_shufflevector(a[4 * i + j], a[4 * i + 2 + j], 0, 1, 8, 9, 4, 5, 12, 13);
      b[4 * i + 2 * j + 1] = __builtin_shufflevector(a[4 * i + j], a[4 * i + 2 + j], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  UNROLL for (int i = 0; i < 4; i++) {
    r[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

INLINE NNInt least(NNInt a, NNInt b) { return a < b ? a : b; }
INLINE NNInt most(NNInt a, NNInt b) { return a > b ? a : b; }
