// Threads that take part in regions of work.
//
// A region is one step. Its tasks are claimed one by one: `ticket` holds the region's number above and the next task
// below, so that a claim succeeds only in the region it was meant for, and a thread that comes late finds nothing to
// claim. The caller works too and waits only for tasks that somebody claimed, never for threads that have not woken.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "tables.h"

enum { SPINS = 1500, MAX_THREADS = 1024 };

typedef struct Worker {
  NNPool *pool;
  pthread_t thread;
  NNInt number;
} Worker;

struct NNPool {
  _Alignas(64) _Atomic uint64_t ticket;  // region << 32 | next task
  _Alignas(64) _Atomic uint32_t finished;
  _Alignas(64) _Atomic uint32_t doorbell;  // changes when a region opens
  _Atomic uint32_t sleepers;
  _Atomic uint32_t stopping;
  // Of the open region; read only between a look at the ticket and a claim that confirms it.
  _Alignas(64) NNKernel _Atomic kernel;
  const void *_Atomic arguments;
  float *_Atomic scratch;
  _Atomic NNInt scratchStride;
  _Atomic uint32_t tasks;
  NNInt workerCount;
  Worker workers[];
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void sleepOn(_Atomic uint32_t *word, uint32_t value) {
#if defined(__linux__)
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
#else
  sched_yield();
#endif
}

static void wakeAll(_Atomic uint32_t *word) {
#if defined(__linux__)
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, MAX_THREADS, NULL, NULL, 0);
#endif
}

/// Claims and runs tasks of the open region until none is left; whether it ran any.
static int work(NNPool *pool, NNInt number) {
  int any = 0;
  for (;;) {
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    NNKernel kernel = atomic_load_explicit(&pool->kernel, memory_order_relaxed);
    const void *arguments = atomic_load_explicit(&pool->arguments, memory_order_relaxed);
    float *scratch = atomic_load_explicit(&pool->scratch, memory_order_relaxed);
    NNInt stride = atomic_load_explicit(&pool->scratchStride, memory_order_relaxed);
    uint32_t tasks = atomic_load_explicit(&pool->tasks, memory_order_relaxed), task = (uint32_t)ticket;
    atomic_thread_fence(memory_order_acquire);
    if (task >= tasks) {
      // Between two regions the fields may be mixed: then the ticket has moved on, and is looked at again.
      if (atomic_load_explicit(&pool->ticket, memory_order_acquire) == ticket) return any;
      continue;
    }
    if (!atomic_compare_exchange_strong_explicit(
          &pool->ticket, &ticket, ticket + 1, memory_order_acq_rel, memory_order_relaxed)) {
      continue;
    }
    kernel(arguments, task, scratch ? scratch + number * stride : NULL);
    atomic_fetch_add_explicit(&pool->finished, 1, memory_order_release);
    any = 1;
  }
}

static void *workerMain(void *argument) {
  Worker *worker = argument;
  NNPool *pool = worker->pool;
  uint32_t spins = 0;
  while (!atomic_load_explicit(&pool->stopping, memory_order_acquire)) {
    uint32_t bell = atomic_load_explicit(&pool->doorbell, memory_order_seq_cst);
    if (work(pool, worker->number)) spins = 0;
    while (atomic_load_explicit(&pool->doorbell, memory_order_seq_cst) == bell) {
      if (++spins < SPINS) {
        relax();
        continue;
      }
      atomic_fetch_add_explicit(&pool->sleepers, 1, memory_order_seq_cst);
      sleepOn(&pool->doorbell, bell);
      atomic_fetch_sub_explicit(&pool->sleepers, 1, memory_order_seq_cst);
      spins = 0;
    }
  }
  return NULL;
}

NNPool *nnPoolCreate(NNInt threads) {
  if (threads < 1 || threads > MAX_THREADS) return NULL;
  NNPool *pool = NULL;
  size_t size = sizeof(NNPool) + sizeof(Worker) * (size_t)(threads - 1);
  if (posix_memalign((void **)&pool, 64, size) != 0) return NULL;
  memset(pool, 0, size);
  for (NNInt i = 0; i < threads - 1; i++) {
    Worker *worker = &pool->workers[i];
    worker->pool = pool;
    worker->number = i + 1;
    if (pthread_create(&worker->thread, NULL, workerMain, worker) != 0) break;
    pool->workerCount++;
  }
  return pool;
}

void nnPoolDestroy(NNPool *pool) {
  atomic_store_explicit(&pool->stopping, 1, memory_order_release);
  atomic_fetch_add_explicit(&pool->doorbell, 1, memory_order_seq_cst);
  wakeAll(&pool->doorbell);
  for (NNInt i = 0; i < pool->workerCount; i++) pthread_join(pool->workers[i].thread, NULL);
  free(pool);
}

static void runTogether(NNPool *pool, const NNStep *step, float *scratch, NNInt stride) {
  uint64_t region = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
  // Closed while its fields change: no claim can succeed on UINT32_MAX.
  atomic_store_explicit(&pool->ticket, region << 32 | UINT32_MAX, memory_order_seq_cst);
  atomic_thread_fence(memory_order_seq_cst);
  atomic_store_explicit(&pool->kernel, step->kernel, memory_order_relaxed);
  atomic_store_explicit(&pool->arguments, step->arguments, memory_order_relaxed);
  atomic_store_explicit(&pool->scratch, scratch, memory_order_relaxed);
  atomic_store_explicit(&pool->scratchStride, stride, memory_order_relaxed);
  atomic_store_explicit(&pool->tasks, (uint32_t)step->tasks, memory_order_relaxed);
  atomic_store_explicit(&pool->finished, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->ticket, (region + 1) << 32, memory_order_release);
  atomic_fetch_add_explicit(&pool->doorbell, 1, memory_order_seq_cst);
  if (atomic_load_explicit(&pool->sleepers, memory_order_seq_cst) > 0) wakeAll(&pool->doorbell);
  work(pool, 0);
  uint32_t tries = 0;
  while (atomic_load_explicit(&pool->finished, memory_order_acquire) != (uint32_t)step->tasks) {
    if (++tries < 20000) {
      relax();
    } else {
      sched_yield();
    }
  }
}

void nnPoolRun(NNPool *pool, const NNStep *steps, NNInt count, float *scratch, NNInt scratchStride) {
  for (NNInt i = 0; i < count; i++) {
    const NNStep *step = &steps[i];
    if (step->together && step->tasks > 1 && pool && pool->workerCount > 0 && step->tasks < UINT32_MAX - MAX_THREADS) {
      runTogether(pool, step, scratch, scratchStride);
    } else {
      for (NNInt task = 0; task < step->tasks; task++) step->kernel(step->arguments, task, scratch);
    }
  }
}

/// Runs steps that are a perceptron, a metric of it perhaps, and its update as one; -1 where they are something else.
static NNInt repeatPerceptron(const NNStep *steps, NNInt count, const NNLoop *loop, NNInt times) {
  if (count != loop->metricCount + 2 || count > 3 || loop->lossCount != 1) return -1;
  const NNKernels *kernels = nnKernelsOfPerceptron(steps[0].kernel);
  if (!kernels || steps[count - 1].kernel != kernels->update || steps[count - 1].arguments != loop->update) return -1;
  const NNPerceptron *perceptron = steps[0].arguments;
  const NNMetric *metric = count == 3 ? steps[1].arguments : NULL;
  if (metric && (steps[1].kernel != kernels->metric || metric->output != perceptron->output)) return -1;
  if (metric && metric->pieces.count != 1) return -1;
  if (loop->update->factor || loop->losses != perceptron->loss) return -1;
  return kernels->perceptronSteps(perceptron, metric, loop->update, loop, times);
}

NNInt nnPoolRepeat(
  NNPool *pool, const NNStep *steps, NNInt count, float *scratch, NNInt scratchStride, const NNLoop *loop, NNInt times
) {
  NNInt done = repeatPerceptron(steps, count, loop, times);
  if (done >= 0) return done;
  for (NNInt run = 0; run < times; run++) {
    loop->update->rate = loop->rates[run];
    loop->update->step++;
    nnPoolRun(pool, steps, count, scratch, scratchStride);
    double loss = 0;
    for (NNInt i = 0; i < loop->lossCount; i++) loss += (double)loop->losses[i];
    loop->lossHistory[run] = loss;
    for (NNInt i = 0; i < loop->metricCount; i++) loop->metricHistory[run * loop->metricCount + i] = loop->metrics[i];
    if (loss - loss != 0 || *loop->diverged) return run + 1;
  }
  return times;
}
