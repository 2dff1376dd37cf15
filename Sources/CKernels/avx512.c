// AVX-512: 32 registers of 16 floats.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "tables.h"

#if defined(__x86_64__)
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#define KERNELS nnAVX512Kernels
#define KERNELS_NAME "avx512"
#define MAX_HEIGHT 12
#define MAX_HEIGHT_8 12
#define FOR_EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#include "kernels.h"
#pragma clang attribute pop
#endif
