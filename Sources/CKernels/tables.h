#include "include/CKernels.h"

extern const NNKernels nnBaselineKernels;
#if defined(__x86_64__)
extern const NNKernels nnAVX2Kernels, nnAVX512Kernels;
#endif

// The kernels of which one is the perceptron, or null.
const NNKernels *nnKernelsOfPerceptron(NNKernel perceptron);
