// What every processor of the architecture has: SSE2 on x86-64, NEON on Arm.
#include <math.h>
#include <string.h>

#include "geometry.h"
#include "tables.h"

#define KERNELS nnBaselineKernels
#if defined(__aarch64__)
#define KERNELS_NAME "neon"
#define MAX_HEIGHT 6
#define MAX_HEIGHT_8 8
#define FOR_EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#else
#define KERNELS_NAME "baseline"
#define MAX_HEIGHT 2
#define MAX_HEIGHT_8 4
#define FOR_EACH_HEIGHT(X) X(1) X(2) X(3) X(4)
#endif
#include "kernels.h"
