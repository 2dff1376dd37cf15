"""The machine that is measured on, and what else it does meanwhile."""
import os
import platform
import resource
import time


def description():
    """The processor, its number and the system, as in `AMD EPYC, 2 processors, Linux 6.1`."""
    names = set()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                names.add(line.split(":", 1)[1].strip())
    with open("/proc/cpuinfo") as file:
        flags = next((line for line in file if line.startswith("flags")), "").split()
    sets = [name for name in ("avx2", "fma", "avx512f") if name in flags]
    name = " and ".join(sorted(names)) or platform.machine()
    release = ".".join(platform.release().split(".")[:2])
    return f"{name} ({', '.join(sets)}), {os.cpu_count()} processors, {platform.system()} {release}"


class Watch:
    """How many processors other programs took meanwhile, on average."""

    def __init__(self, participants):
        self.participants = participants

    def __enter__(self):
        self.start = self._counters()
        return self

    def __exit__(self, *_):
        wall, busy, own = (now - before for now, before in zip(self._counters(), self.start))
        self.others = max(0.0, busy - own) / max(wall, 1e-9)

    def _counters(self):
        with open("/proc/stat") as file:
            ticks = [int(word) for word in file.readline().split()[1:]]
        busy = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / os.sysconf("SC_CLK_TCK")
        own = sum(participant.processor_seconds() for participant in self.participants)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            own += usage.ru_utime + usage.ru_stime
        return time.perf_counter(), busy, own
