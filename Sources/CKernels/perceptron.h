// A dense layer on a step's input with its loss, all in one: value, loss and gradients, where everything is small.

// One block of 8 rows for one unit: lanes are rows. `terms` receives the loss's terms, the gradient is returned.
INLINE f8 perceptronRows(const NNPerceptron *p, f8 z, f8 t, i8 inside, float scale, f8 *y, d8 *terms) {
  *y = p->sigmoid ? sigmoid8(z) : z;
  f8 gradient;
  if (p->kind == NN_BINARY_CROSS_ENTROPY) {
    f8 small = exponential8(z < 0 ? z : -z), term = (z < 0 ? (f8)0 : z) - z * t;
    for (int lane = 0; lane < 8; lane++) term[lane] += log1pf(small[lane]);
    *terms += __builtin_convertvector(inside ? term : (f8)0, d8);
    gradient = (*y - t) * scale;
  } else {
    f8 d = *y - t;
    *terms += __builtin_convertvector(inside ? d * d : (f8)0, d8);
    gradient = scale * d;
    if (p->sigmoid) gradient = gradient * *y * (1.0f - *y);
  }
  return inside ? gradient : (f8)0;
}

INLINE float sum8(f8 v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

static void perceptron(const void *arguments, NNInt task, float *scratch) {
  const NNPerceptron *p = arguments;
  const i8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  double count = (double)(p->rows * p->units);
  float scale = (float)((p->kind == NN_BINARY_CROSS_ENTROPY ? 1 : 2) / count);
  d8 terms = 0;
  for (NNInt unit = 0; unit < p->units; unit++) {
    const float *w = p->weights + unit * p->inner;
    f8 sums[PERCEPTRON_INNER], biasSum = 0;
    for (NNInt k = 0; k < p->inner; k++) sums[k] = 0;
    for (NNInt block = 0; block * 8 < p->rows; block++) {
      const float *x = p->input + block * p->inner * 8;
      f8 z = p->bias ? (f8)p->bias[unit] : (f8)0, y;
      for (NNInt k = 0; k < p->inner; k++) z += w[k] * load8(x + k * 8);
      NNInt rows = least(8, p->rows - block * 8);
      f8 t = load8(p->target + (block * p->units + unit) * 8);
      f8 gradient = perceptronRows(p, z, t, lanes < (int)rows, scale, &y, &terms);
      biasSum += gradient;
      for (NNInt k = 0; k < p->inner; k++) sums[k] += gradient * load8(x + k * 8);
      float *output = p->output + block * 8 * p->units + unit;
      for (NNInt row = 0; row < rows; row++) output[row * p->units] = y[row];
    }
    if (p->biasGradient) p->biasGradient[unit] = sum8(biasSum);
    if (p->weightGradient) {
      for (NNInt k = 0; k < p->inner; k++) p->weightGradient[unit * p->inner + k] = sum8(sums[k]);
    }
  }
  double sum = ((terms[0] + terms[4]) + (terms[2] + terms[6])) + ((terms[1] + terms[5]) + (terms[3] + terms[7]));
  *p->loss = (float)(sum / count);
}
