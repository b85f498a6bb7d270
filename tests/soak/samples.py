"""What a daemon uses, sampled over time, and what is said of it."""

import csv
import os
import pathlib
import statistics
import time

EVERY_S = 5
FIELDS = ("minute", "memory_mib", "descriptors", "threads", "guests", "reads_per_s", "p50_ms", "p99_ms", "max_ms")
# Growth from the first third of a soak to its last that is noise: a fraction, and an amount.
NOISE = {"memory_mib": (0.10, 3.0), "descriptors": (0.0, 24), "threads": (0.0, 2)}


class Sampler:
    def __init__(self, daemon, crew, path):
        self._daemon, self._crew = daemon, crew
        self._file = open(path, "w", newline="", encoding="ascii")
        self._table = csv.DictWriter(self._file, FIELDS)
        self._table.writeheader()
        self._began = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def next(self):
        """Waits for the moment of the next sample and takes it."""
        time.sleep(EVERY_S)
        process = pathlib.Path(f"/proc/{self._daemon.pid()}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        waits = sorted(self._crew.latencies_ms.popleft()[1] for _ in range(len(self._crew.latencies_ms)))
        row = {"minute": (time.monotonic() - self._began) / 60,
               "memory_mib": int(status["VmRSS"].split()[0]) / 1024,
               "descriptors": len(os.listdir(process / "fd")),
               "threads": int(status["Threads"]),
               "guests": len(list((self._daemon.root / "run/guests").iterdir())),
               "reads_per_s": len(waits) / EVERY_S,
               "p50_ms": at(waits, 0.5), "p99_ms": at(waits, 0.99), "max_ms": at(waits, 1)}
        self._table.writerow({name: f"{value:.3f}" for name, value in row.items()})
        self._file.flush()
        return row


def at(ordered, fraction):
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))] if ordered else 0.0


def thirds(rows, name):
    third = max(1, len(rows) // 3)
    return (statistics.median(row[name] for row in rows[:third]), statistics.median(row[name] for row in rows[-third:]))


def growth(rows):
    """What was more at the end than at the beginning, as sentences."""
    found = []
    for name, (fraction, amount) in NOISE.items():
        early, late = thirds(rows, name)
        if late > early * (1 + fraction) + amount:
            found.append(f"{name} grew from {early:.1f} to {late:.1f}")
    return found


def summary(rows, crew):
    lines = [f"{rows[-1]['minute']:.1f} minutes, {len(rows)} samples"]
    for name in ("memory_mib", "descriptors", "threads"):
        early, late = thirds(rows, name)
        lines.append(f"{name}: median {early:.1f} in the first third, {late:.1f} in the last, "
                     f"most {max(row[name] for row in rows):.1f}")
    lines.append(f"reads: median {statistics.median(row['p50_ms'] for row in rows):.2f} ms, "
                 f"p99 {statistics.median(row['p99_ms'] for row in rows):.2f} ms (median of samples), "
                 f"slowest {max(row['max_ms'] for row in rows):.1f} ms")
    lines.append(", ".join(f"{count} {what}" for what, count in sorted(crew.counts.items())))
    return "\n".join("soak: " + line for line in lines)
