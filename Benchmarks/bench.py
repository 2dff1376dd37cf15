"""Measures nnrun beside its peers, in turn, on the same networks with the same weights; see README.md.

Results are kept in .build-bench/results.json, a measurement replacing the last one of the same work, and written as a
table (results.md) and a plot (results.svg).
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

import report
from machine import Watch, description
from networks import NETWORKS
from participants import Nnrun, Peer, difference, worker_command
from peers import PACKAGES
from works import WORKS

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, ".build-bench")
RESULTS = os.path.join(FOLDER, "results.json")
# Outputs and losses that differ by more than this are not of the same network.
AGREEMENT = 1e-3


def measure_in_turn(work, threads, kind):
    """Rounds in which everyone has a turn; the order shifts from round to round."""
    prepared = prepare(work)
    nnrun = Nnrun(options.nnrun, prepared, kind, threads)
    peers = [Peer(name, prepared, kind, threads) for name in available(work.peers)]
    entries, taking_part = {}, []
    try:
        for participant in [nnrun, *peers]:
            try:
                entry = participant.start()
            except RuntimeError as error:
                if participant is nnrun:
                    raise
                print(f"  {participant.name} is left out: {error}", flush=True)
                continue
            entry["difference"] = disagreement(participant, nnrun, entry, entries.get("nnrun", {}), kind)
            entries[participant.name] = entry | {"rounds": []}
            taking_part.append(participant)
        rounds = 1 if work.kind == "memory" else options.rounds
        with Watch(taking_part) as watch:
            for index in range(rounds):
                shift = index % len(taking_part)
                for participant in taking_part[shift:] + taking_part[:shift]:
                    entries[participant.name]["rounds"].append(participant.measure(options.seconds))
        for participant in taking_part:
            entries[participant.name]["peak_memory"] = participant.peak_memory
    finally:
        for peer in peers:
            if hasattr(peer, "process"):
                peer.stop()
    return entries, watch.others


def disagreement(participant, nnrun, entry, reference, kind):
    if participant is nnrun:
        return 0.0
    if kind == "inference":
        return difference(participant.output, nnrun.output)
    pairs = zip(entry["losses"], reference["losses"])
    return max((abs(a - b) / max(abs(b), 1e-30) for a, b in pairs), default=0.0)


def measure_starts(work, threads):
    """Whole processes, from their start to their first output, in turn."""
    prepared = prepare(work)
    commands = {
        "nnrun": [options.nnrun, prepared.model, "--input", prepared.input, "--threads", str(threads), "--quiet"]
    }
    for name in available(work.peers):
        commands[name] = worker_command(name, prepared, "inference", threads) + ["--once"]
    return time_processes(commands)


def measure_digits(work, threads):
    """Training of the digits from nothing, and the share of test images that is then read right."""
    model = os.path.join(ROOT, "models", "digits")
    fresh, trained = os.path.join(FOLDER, "digits.yaml"), os.path.join(FOLDER, "digits-trained.yaml")
    with open(os.path.join(model, "digits.yaml")) as file:
        lines = [line for line in file if not line.startswith("weights:")]
    with open(fresh, "w") as file:
        file.write("".join(lines).split("\ntests:")[0] + "\n")
    train = [options.nnrun, "train", fresh, "--input", f"{model}/train-images.npy", "--target"]
    train += [f"{model}/train-labels.npy", "--epochs", str(work.epochs), "--threads", str(threads)]
    train += ["--output", trained, "--force", "--quiet"]
    check = [options.nnrun, "eval", trained, "--input", f"{model}/test-images.npy"]
    check += ["--target", f"{model}/test-labels.npy", "--json"]
    script = os.path.join(ROOT, "Benchmarks", "digits_torch.py")
    commands = {"nnrun": ["sh", "-c", '"$@"; exec ' + " ".join(check), "sh", *train]}
    if available(("torch",)):
        commands["torch"] = [sys.executable, script, model, str(work.epochs), str(threads)]
    entries, others = time_processes(commands)
    for name, entry in entries.items():
        output = entry.pop("output")
        entry["accuracy"] = json.loads(output)["accuracy"] if name == "nnrun" else float(output)
        if entry["accuracy"] < 0.97:
            print(f"  {name} reads only {entry['accuracy']:.4f} of the digits right", flush=True)
    return entries, others


def time_processes(commands):
    entries = {name: {"rounds": [], "difference": 0.0} for name in commands}
    with Watch([]) as watch:
        for index in range(options.rounds + 1):
            for name, command in commands.items():
                start = time.perf_counter()
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                first = process.stdout.readline()
                seconds = time.perf_counter() - start
                process.communicate()
                if not first:
                    raise RuntimeError(f"{name} printed nothing: {' '.join(command)}")
                entries[name]["output"] = first
                if index:  # the first one brings the files into memory
                    entries[name]["rounds"].append(seconds)
    return entries, watch.others


def measure_yaml(work, threads):
    """A model of a million weights in its text, against libyaml's own event loop over the same bytes."""
    program = os.path.join(os.path.dirname(options.nnrun), "YAMLBenchmark")
    run = subprocess.run([program], capture_output=True, text=True, check=True)
    pairs = [line for line in run.stdout.splitlines() if line.startswith("libyaml ")]
    libyaml = [float(line.split()[1]) for line in pairs]
    ours = [float(line.split()[4]) for line in pairs]
    entries = {"nnrun": {"rounds": ours}, "libyaml": {"rounds": libyaml}}
    return {name: entry | {"difference": 0.0} for name, entry in entries.items()}, 0.0


def prepare(work):
    from prepare import Prepared

    return Prepared(options.nnrun, os.path.join(FOLDER, "networks"), work.network, work.batch)


def available(names):
    wanted = options.peers.split(",") if options.peers else names
    return [name for name in names if name in wanted and importlib.util.find_spec(PACKAGES[name])]


def measure(work, threads):
    if work.kind == "start":
        entries, others = measure_starts(work, threads)
    elif work.kind == "digits":
        entries, others = measure_digits(work, threads)
    elif work.kind == "yaml":
        entries, others = measure_yaml(work, threads)
    else:
        is_training = work.kind == "training" or work.name.startswith("memory-train")
        entries, others = measure_in_turn(work, threads, "training" if is_training else "inference")
    for entry in entries.values():
        entry.pop("output", None)
        entry["median"] = statistics.median(entry["rounds"])
        entry["agrees"] = entry["difference"] <= AGREEMENT
    return {
        "work": work.name,
        "kind": work.kind,
        "threads": threads,
        "goal": work.goal,
        "date": time.strftime("%Y-%m-%d"),
        "machine": description(),
        "other_processors": others,
        "entries": entries,
    }


def is_meant(work, word):
    """Whether a word of --only is the work's name, or a part of it where no work is called so."""
    return work.name == word if any(other.name == word for other in WORKS) else word in work.name


def main():
    results = json.load(open(RESULTS)) if os.path.exists(RESULTS) else []
    chosen = [work for work in WORKS if not options.only or any(is_meant(work, word) for word in options.only.split(","))]
    if not chosen:
        sys.exit("bench: no work is called so; there are " + ", ".join(work.name for work in WORKS))
    for work in chosen:
        if options.prepare:
            if work.network in NETWORKS:
                prepare(work)
            continue
        for threads in work.threads:
            if options.threads and threads != options.threads:
                continue
            print(f"{work.name}, {threads} thread{'s' if threads > 1 else ''}", flush=True)
            result = measure(work, threads)
            results = [r for r in results if (r["work"], r["threads"]) != (work.name, threads)] + [result]
            order = [work.name for work in WORKS]
            results.sort(key=lambda r: (order.index(r["work"]) if r["work"] in order else 99, r["threads"]))
            with open(RESULTS, "w") as file:
                json.dump(results, file, indent=1)
            print(report.lines(result), flush=True)
    report.write(results, FOLDER)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", help="works that are called so, or whose names hold one of these words; by commas")
parser.add_argument("--threads", type=int, help="only with so many threads")
parser.add_argument("--peers", help="only these peers, by commas")
parser.add_argument("--rounds", type=int, default=7, help="how often everyone has a turn")
parser.add_argument("--seconds", type=float, default=0.5, help="how long a turn is")
parser.add_argument("--prepare", action="store_true", help="only write the networks' files")
parser.add_argument("--nnrun", default=os.path.join(ROOT, ".build", "release", "nnrun"), help="the program")
options = parser.parse_args()
main()
