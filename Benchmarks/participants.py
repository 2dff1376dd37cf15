"""Whoever takes part in a measurement: nnrun, or a peer in a process of its own."""
import json
import os
import signal
import statistics
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


class Nnrun:
    name = "nnrun"

    def __init__(self, program, prepared, kind, threads):
        self.program, self.prepared, self.kind, self.threads = program, prepared, kind, threads
        self.output = prepared.input.replace(".input.npy", ".nnrun.npy")
        self.peak_memory = 0

    def start(self):
        """Runs once, for the result."""
        p = self.prepared
        result = {"version": self._call("--version").strip()}
        if self.kind == "inference":
            self._call("run", p.model, "--input", p.input, "--output", self.output)
        else:
            # An epoch of one batch is a step.
            history = p.model.replace(".yaml", ".history.csv")
            copy = p.model.replace(".yaml", ".trained.yaml")
            words = ["--epochs", "4", "--batch-size", str(p.batch), "--no-shuffle", "--history", history]
            self._call("train", p.model, *self._data(), *words, "--output", copy, "--force")
            with open(history) as file:
                result["losses"] = [float(line.split(",")[1]) for line in file.read().split()[1:]]
        return result

    def measure(self, seconds):
        """The seconds of a call, the median of as many as there is time for."""
        words = ["bench", self.prepared.model, *self._data(), "--json", "--seconds", str(seconds)]
        if self.kind == "training":
            words += ["--train", "--batch-size", str(self.prepared.batch)]
        result = json.loads(self._call(*words, "--threads", str(self.threads)))
        self.peak_memory = result["peak_memory_bytes"]
        return result["median_ms"] / 1e3

    def stop(self):
        pass

    def processor_seconds(self):
        return 0  # its processes have ended, and count with those

    def _data(self):
        words = ["--input", self.prepared.input]
        return words + ["--target", self.prepared.target] if self.kind == "training" else words

    def _call(self, *words):
        run = subprocess.run([self.program, *words], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"nnrun {' '.join(words)}: {run.stderr.strip()}")
        return run.stdout


class Peer:
    def __init__(self, name, prepared, kind, threads):
        self.name, self.peak_memory = name, 0
        self.output = prepared.input.replace(".input.npy", f".{name}.npy")
        self.command = worker_command(name, prepared, kind, threads, self.output)

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        result = self._answer()
        self.process.send_signal(signal.SIGSTOP)
        return result

    def measure(self, seconds):
        # Whoever waits is stopped: threads that spin for work would take the processor from the others.
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        answer = self._answer()
        self.process.send_signal(signal.SIGSTOP)
        self.peak_memory = answer["peak_memory"]
        return statistics.median(answer["times"])

    def stop(self):
        self.process.kill()
        self.process.wait()

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended")
        return json.loads(line)


def worker_command(name, prepared, kind, threads, output=""):
    job = {key: value for key, value in vars(prepared).items() if key != "model"}
    job |= {"peer": name, "kind": kind, "threads": threads, "output": output}
    return [sys.executable, os.path.join(HERE, "worker.py"), json.dumps(job)]


def difference(one, other):
    """The largest difference between two files of outputs, as a share of the largest number."""
    a, b = np.load(one), np.load(other)
    return float(np.abs(a.reshape(b.shape) - b).max() / max(np.abs(b).max(), 1e-30))
