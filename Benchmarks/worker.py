"""One peer with one network, in a process of its own.

  worker.py JOB            makes ready, prints a line of JSON, then measures for as many seconds as each line of input says
  worker.py JOB --once     runs once from a cold start, prints the first number of the output, and ends

JOB is JSON: see `Job`.
"""
import json
import os
import sys
import time
from dataclasses import dataclass


@dataclass
class Job:
    peer: str
    kind: str  # inference or training
    network: str
    batch: int
    threads: int
    input_shape: list
    onnx: str
    onnx_single: str
    ncnn: str
    tflite: str
    input: str
    target: str
    output: str  # where the result of a run is put, to be compared

    def load_input(self):
        return numpy.load(self.input)

    def load_target(self):
        return numpy.load(self.target)


def peak_memory():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def measure(call, seconds):
    """The seconds of a call, again and again; quick ones over so many calls that the clock does not matter."""
    times, calls, begin = [], 1, time.perf_counter()
    while not times or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        elapsed = time.perf_counter() - start
        if elapsed < 1e-4:
            calls *= 2
        else:
            times.append(elapsed / calls)
    return times


# The losses of so many steps are compared.
LOSSES = 4

job = Job(**json.loads(sys.argv[1]))
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(job.threads)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if job.peer.startswith("jax") and job.threads == 1:  # it takes the processors that it may run on
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import numpy  # noqa: E402, once the number of threads is set

import peers  # noqa: E402

if "--once" in sys.argv:
    run = peers.RUNS[job.peer](job)[1]
    print(float(run(job.load_input()).ravel()[0]), flush=True)
    os._exit(0)

divisor = 1
if job.kind == "inference":
    version, run = peers.RUNS[job.peer](job)
    x = job.load_input()
    numpy.save(job.output, run(x))
    call = lambda: run(x)  # noqa: E731
    ready = {"version": version}
    call()
else:
    version, call = peers.STEPS[job.peer](job)
    if job.peer == "jax-loop":
        divisor = peers.LOOP
        ready = {"version": version, "losses": []}
        call()
    else:
        ready = {"version": version, "losses": [float(call()) for _ in range(LOSSES)]}
print(json.dumps(ready), flush=True)
for line in sys.stdin:
    times = [seconds / divisor for seconds in measure(call, float(line))]
    print(json.dumps({"times": times, "peak_memory": peak_memory()}), flush=True)
