// The choice among the instruction sets, made once.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

const NNKernels *nnKernelsNamed(const char *name) {
  if (strcmp(name, nnBaselineKernels.name) == 0 || strcmp(name, "baseline") == 0) return &nnBaselineKernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (strcmp(name, "avx2") == 0 && avx2) return &nnAVX2Kernels;
  if (strcmp(name, "avx512") == 0 && avx512) return &nnAVX512Kernels;
#endif
  return NULL;
}

const NNKernels *nnKernels(void) {
  static _Atomic(const NNKernels *) chosen;
  const NNKernels *kernels = atomic_load_explicit(&chosen, memory_order_acquire);
  if (kernels) return kernels;
  const char *forced = getenv("NNRUN_ISA");
  if (forced) kernels = nnKernelsNamed(forced);
  if (!kernels) kernels = nnKernelsNamed("avx512");
  if (!kernels) kernels = nnKernelsNamed("avx2");
  if (!kernels) kernels = &nnBaselineKernels;
  atomic_store_explicit(&chosen, kernels, memory_order_release);
  return kernels;
}

const NNKernels *nnKernelsOfPerceptron(NNKernel perceptron) {
  if (perceptron == nnBaselineKernels.perceptron) return &nnBaselineKernels;
#if defined(__x86_64__)
  if (perceptron == nnAVX2Kernels.perceptron) return &nnAVX2Kernels;
  if (perceptron == nnAVX512Kernels.perceptron) return &nnAVX512Kernels;
#endif
  return NULL;
}
