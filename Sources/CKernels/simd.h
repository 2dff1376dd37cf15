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
INLINE NNInt least(NNInt a, NNInt b) { return a < b ? a : b; }
INLINE NNInt most(NNInt a, NNInt b) { return a > b ? a : b; }
