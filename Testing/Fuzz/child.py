"""One reader, many inputs: run by `run.py`, which watches and starts it again after a crash.

``python Testing/Fuzz/child.py READER --replay FILE`` reads one kept input and shows what happens.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(ROOT),
    str(ROOT / "Testing" / "Lib" / "support"),
    str(ROOT / "Testing" / "Fuzz"),
]


def peak_mb() -> float:
    """Return the largest memory of this process since `forget_peak`, MB; 0 where nobody tells."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def forget_peak() -> None:
    """Start to measure the peak anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def where(error: BaseException) -> str:
    """Name the kind of a finding: the exception and the line of ours that it passed last."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if "TextPromptSeg" in f.filename]
    last = own[-1] if own else traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno} {last.name}"


def main() -> int:
    """Read inputs and tell of each on stdout, one JSON line before and one after."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--current", type=Path)
    parser.add_argument("--replay", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(1000)
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from readers import IMAGES
    from readers_json import OTHERS

    from TextPromptSegLib.outcome import TextPromptSegError

    reader = {**IMAGES, **OTHERS}[options.reader]
    # Deep enough that no input climbs out of it with "../..".
    top = Path(tempfile.mkdtemp(prefix="fuzz-"))
    home = top.joinpath(*"abcdefgh")
    home.mkdir(parents=True)
    if options.replay:
        print(reader.read(options.replay.read_bytes(), home))
        shutil.rmtree(top)
        return 0
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is not for the parent
    os.dup2(1, 2)

    def tell(**facts: object) -> None:
        out.write(json.dumps(facts) + "\n")
        out.flush()

    @seed(options.seed)
    @settings(
        max_examples=options.count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.inputs())
    def run(data: bytes) -> None:
        options.current.write_bytes(data)
        for left in home.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        forget_peak()
        before, start = peak_mb(), time.process_time()
        tell(start=True)
        kind, finding, text = "accepted", "", ""
        try:
            reader.read(data, home)
        except TextPromptSegError:
            kind = "refused"
        except Exception as error:
            kind, finding, text = "finding", where(error), traceback.format_exc()[-4000:]
        tell(
            kind=kind,
            finding=finding,
            text=text,
            seconds=time.process_time() - start,
            mb=peak_mb() - before,
        )

    run()
    tell(done=True)
    shutil.rmtree(top, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
