"""`make fuzz`: damaged and hostile inputs for every reader; exit code 1 when one misbehaves."""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
KEPT = HERE.parents[1] / "build" / "fuzz"
READERS = (
    "nifti", "nifti-gz", "nrrd", "nhdr", "mha", "mhd", "dicom", "dicom-folder", "picture",
    "config.json", "safetensors", "zip", "dataset.json", "table", "matlab", "recipe", "record",
    "report", "list", "worker", "client", "prompt",
)  # fmt: skip
MOST_CPU_SECONDS, MOST_MB = 20.0, 2048.0
MOST_ADDRESSES = 12 << 30  # bytes; protects the machine, far above what is allowed
MOST_RESTARTS = 200


@dataclass
class Tally:
    """What became of the inputs of one reader."""

    count: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    largest: float = 0.0

    def row(self, name: str, seconds: float) -> str:
        """Return the line of the table."""
        read = sum(self.count[kind] for kind in ("accepted", "refused", "finding", "crash"))
        return (
            f"{name:14}{read:8}{self.count['accepted']:10}{self.count['refused']:9}"
            f"{sum(self.findings.values()):10}{self.slowest:9.2f}{self.largest:9.0f}{seconds:8.0f}"
        )


def fuzz(name: str, inputs: int, limit: float, seed: int) -> Tally:
    """Feed one reader until it has had its inputs or the time is up."""
    tally, until = Tally(), time.monotonic() + limit
    restarts = 0
    while time.monotonic() < until and restarts < MOST_RESTARTS:
        done = sum(tally.count.values())
        if done >= inputs or _one_child(name, inputs - done, seed + restarts, until, tally):
            break
        restarts += 1
    return tally


def _one_child(name: str, count: int, seed: int, until: float, tally: Tally) -> bool:
    """Run one child; whether it came to its end."""
    with tempfile.TemporaryDirectory(prefix="fuzz-run-") as folder:
        current = Path(folder) / "current"
        command = [sys.executable, str(HERE / "child.py"), name, "--count", str(count)]
        command += ["--seed", str(seed), "--current", str(current)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=_limits if os.name == "posix" else None,
            env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip
        lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        assert process.stdout is not None
        threading.Thread(target=_receive, args=(process.stdout, lines), daemon=True).start()
        try:
            return _watch(name, process, lines, current, until, tally)
        finally:
            process.kill()
            process.wait()


def _limits() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _receive(stream: IO[str], lines: queue.Queue[dict[str, Any] | None]) -> None:
    for line in stream:
        lines.put(json.loads(line))
    lines.put(None)


def _watch(
    name: str,
    process: subprocess.Popen[str],
    lines: queue.Queue[dict[str, Any] | None],
    current: Path,
    until: float,
    tally: Tally,
) -> bool:
    started: float | None = None  # CPU seconds of the child when it began with this input
    while True:
        try:
            facts = lines.get(timeout=1.0)
        except queue.Empty:
            used = _cpu_seconds(process.pid)
            if started is not None and used - started > MOST_CPU_SECONDS + 1:
                tally.count["crash"] += 1
                _keep(name, f"more than {MOST_CPU_SECONDS:.0f} s of CPU", current, "", tally)
                return False
            if time.monotonic() > until:
                return True
            continue
        if facts is None:
            code = process.wait()
            tally.count["crash"] += 1
            if started is None and not current.exists():
                raise SystemExit(f"{name}: the child does not start (exit code {code})")
            _keep(name, f"crash, exit code {code}", current, "", tally)
            return False
        if facts.get("done"):
            return True
        if facts.get("start"):
            started = _cpu_seconds(process.pid)
            continue
        started = None
        tally.count[facts["kind"]] += 1
        tally.slowest = max(tally.slowest, facts["seconds"])
        tally.largest = max(tally.largest, facts["mb"])
        if facts["kind"] == "finding":
            _keep(name, facts["finding"], current, facts["text"], tally)
        if facts["seconds"] > MOST_CPU_SECONDS:
            _keep(name, f"more than {MOST_CPU_SECONDS:.0f} s of CPU", current, "", tally)
        if facts["mb"] > MOST_MB:
            _keep(name, f"more than {MOST_MB:.0f} MB", current, "", tally)
        if time.monotonic() > until:
            return True


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, s; the clock's where the system does not tell."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic()


def _keep(name: str, what: str, current: Path, text: str, tally: Tally) -> None:
    """Count a finding; the first input of its kind is kept."""
    tally.findings[what] += 1
    if tally.findings[what] == 1 and current.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        number = len(list(KEPT.glob(f"{name}-*.bin")))
        place = KEPT / f"{name}-{number}.bin"
        place.write_bytes(current.read_bytes())
        place.with_suffix(".txt").write_text(f"{what}\n\n{text}", encoding="utf-8")


def main() -> int:
    """Fuzz the readers and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("readers", nargs="*")
    options = parser.parse_args()
    unknown = set(options.readers) - set(READERS)
    if unknown:
        parser.error(f"there is no reader {', '.join(sorted(unknown))}; known: {' '.join(READERS)}")
    print("reader          inputs  accepted  refused  findings  max CPU   max MB seconds")
    found = False
    for name in options.readers or READERS:
        start = time.monotonic()
        tally = fuzz(name, options.inputs, options.seconds, options.seed)
        print(tally.row(name, time.monotonic() - start), flush=True)
        for what, count in tally.findings.most_common():
            found = True
            print(f"    {count} x {what}")
    if found:
        print(f"what failed is kept in {KEPT}")
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
