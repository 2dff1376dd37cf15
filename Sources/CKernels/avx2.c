// AVX2 with FMA: 16 registers of 8 floats.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "tables.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define KERNELS nnAVX2Kernels
#define KERNELS_NAME "avx2"
#define MAX_HEIGHT 6
#define MAX_HEIGHT_8 8
#define FOR_EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#include "kernels.h"
#pragma clang attribute pop
#endif
