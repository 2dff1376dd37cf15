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

// The sum of the lanes in every lane, added as `sum8` adds them.
INLINE f8 spreadSum8(f8 v) {
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
  return v + __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
}

// A parameter on its way through many steps: the same number in every lane, so that nothing has to be spread.
typedef struct Kept {
  f8 value, first, second;
} Kept;

INLINE Kept keep(const NNUpdate *u, const float *parameter, int trained) {
  Kept kept = {*parameter, 0, 0};
  if (trained && u->first) kept.first = (f8)u->first[parameter - u->parameters];
  if (trained && u->second) kept.second = (f8)u->second[parameter - u->parameters];
  return kept;
}

INLINE void giveBack(const NNUpdate *u, const float *parameter, const Kept *kept) {
  NNInt at = parameter - u->parameters;
  u->parameters[at] = kept->value[0];
  if (u->first) u->first[at] = kept->first[0];
  if (u->second) u->second[at] = kept->second[0];
}

// Moves a parameter along its gradient; what is added to tells whether it is still finite.
INLINE f8 moved(const NNUpdate *u, const Rule *rule, f8 gradient, Kept *kept) {
  kept->value = updated(u, rule, kept->value, gradient, &kept->first, &kept->second);
  return kept->value - kept->value;
}

// `perceptron`, `metric` and `update` again and again with the same results. Where there is one unit with few weights and
// up to 8 rows, constants here, all that changes from step to step stays in registers.
INLINE NNInt perceptronLoop(
  const NNPerceptron *p, const NNMetric *metric, NNUpdate *u, const NNLoop *loop, NNInt times, NNInt inner, NNInt units,
  NNInt blocks
) {
  const i8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  const double count = (double)(p->rows * p->units);
  const float scale = (float)((p->kind == NN_BINARY_CROSS_ENTROPY ? 1 : 2) / count);
  Kept weights[NN_PERCEPTRON_UNITS * PERCEPTRON_INNER], biases[NN_PERCEPTRON_UNITS];
  float single[NN_PERCEPTRON_ROWS], *output = units == 1 ? single : p->output;
  for (NNInt i = 0; i < units * inner; i++) weights[i] = keep(u, p->weights + i, p->weightGradient != 0);
  for (NNInt i = 0; i < units && p->bias; i++) biases[i] = keep(u, p->bias + i, p->biasGradient != 0);
  NNInt run = 0;
  for (int stop = 0; run < times && !stop; run++) {
    const Rule rule = ruleOfStep(u, loop->rates[run], u->step + 1 + run);
    d8 terms = 0;
    f8 bad = 0;
    for (NNInt unit = 0; unit < units; unit++) {
      Kept *w = weights + unit * inner;
      f8 sums[PERCEPTRON_INNER], biasSum = 0;
      for (NNInt k = 0; k < inner; k++) sums[k] = 0;
      for (NNInt block = 0; block < blocks; block++) {
        const float *x = p->input + block * inner * 8;
        f8 z = p->bias ? biases[unit].value : (f8)0, y;
        for (NNInt k = 0; k < inner; k++) z += w[k].value * load8(x + k * 8);
        NNInt rows = least(8, p->rows - block * 8);
        f8 t = load8(p->target + (block * units + unit) * 8);
        f8 gradient = perceptronRows(p, z, t, lanes < (int)rows, scale, &y, &terms);
        biasSum += gradient;
        for (NNInt k = 0; k < inner; k++) sums[k] += gradient * load8(x + k * 8);
        if (units == 1) {
          store8(single + block * 8, y);
        } else {
          for (NNInt row = 0; row < rows; row++) output[(block * 8 + row) * units + unit] = y[row];
        }
      }
      for (NNInt k = 0; k < inner && p->weightGradient; k++) {
        f8 gradient = spreadSum8(sums[k]);
        p->weightGradient[unit * inner + k] = gradient[0];
        bad += moved(u, &rule, gradient, &w[k]);
      }
      if (p->biasGradient) {
        f8 gradient = spreadSum8(biasSum);
        p->biasGradient[unit] = gradient[0];
        bad += moved(u, &rule, gradient, &biases[unit]);
      }
    }
    double sum = ((terms[0] + terms[4]) + (terms[2] + terms[6])) + ((terms[1] + terms[5]) + (terms[3] + terms[7]));
    *p->loss = (float)(sum / count);
    double loss = *p->loss;
    loop->lossHistory[run] = loss;
    if (metric) loop->metricHistory[run] = *metric->sums = metricSum(metric, output, 0);
    // Every lane holds the same.
    if (bad[0] != 0) *u->diverged = 1;
    stop = loss - loss != 0 || bad[0] != 0;
  }
  for (NNInt i = 0; i < units * inner && p->weightGradient; i++) giveBack(u, p->weights + i, &weights[i]);
  for (NNInt i = 0; i < units && p->biasGradient; i++) giveBack(u, p->bias + i, &biases[i]);
  if (units == 1) memcpy(p->output, single, (size_t)p->rows * 4);
  u->step += run;
  return run;
}

static NNInt perceptronSteps(
  const NNPerceptron *p, const NNMetric *metric, NNUpdate *update, const NNLoop *loop, NNInt times
) {
  if (p->units == 1 && p->rows <= 8) {
    switch (p->inner) {
      case 1: return perceptronLoop(p, metric, update, loop, times, 1, 1, 1);
      case 2: return perceptronLoop(p, metric, update, loop, times, 2, 1, 1);
      case 3: return perceptronLoop(p, metric, update, loop, times, 3, 1, 1);
      case 4: return perceptronLoop(p, metric, update, loop, times, 4, 1, 1);
      default: break;
    }
  }
  return perceptronLoop(p, metric, update, loop, times, p->inner, p->units, nnCeilDivide(p->rows, 8));
}
