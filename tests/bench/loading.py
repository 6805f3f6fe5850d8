"""From pose files to normalised windows, measured: time and peak memory of each way, each in a process of its own.

    python tests/bench/loading.py [FOLDER] [--repeat 3]

FOLDER is made by `shanghaitech_scale` if it is not there. The stages take turns, so that a busy machine slows all of them alike:

- ``restated``    STG-NF's published rules as a plain loop (tests/stgnf_windows.py): json, a dictionary a pose, an array a window
- ``not cached``  vadbench with its cache switched off: parse, and one pass over all windows
- ``cold``        vadbench with an empty cache: parse, fill the cache, and one pass over all windows
- ``warm``        vadbench from its cache: open, check, and one pass over all windows

A pass gathers and normalises every window in batches of 1,024. Times are from the first statement after the imports to the last
batch; the time that the process took in all stands beside them. The released STG-NF loader needs 29.3 s and 4.55 GB for as large
a test split (107,646 windows, 124,808 poses) on two cores of the same kind; its licence does not allow a copy of it here.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OFFICIAL_SECONDS = 29.3
STAGES = {
    "restated": "test",
    "not cached": "test",
    "cold": "test",
    "warm": "test",
    "cold, train": "train",
    "warm, train": "train",
}


def restated(folder: Path, split: str) -> int:
    """Windows by the plain loop."""
    from stgnf_windows import windows_of

    stride = 1 if split == "test" else 6
    every = []
    for path in sorted((folder / "pose" / split).glob("*.json")):
        every += [window.x for window in windows_of(json.loads(path.read_text()), length=24, stride=stride)]
    return len(every)


def by_vadbench(folder: Path, split: str) -> int:
    """Windows by vadbench, as a run reads them."""
    from vadbench.api import WindowRule
    from vadbench.data.cache.track_cache import default_cache
    from vadbench.data.layout_conversion import convert_layout
    from vadbench.data.normalisation import fit_normaliser
    from vadbench.data.windowing import cut_windows
    from vadbench.engine.poses import read_tracks
    from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig

    dataset = PoseFolder(PoseFolderConfig(root=folder), None)
    tracks, _ = read_tracks(dataset, split, {}, default_cache())  # type: ignore[arg-type]
    seen = convert_layout(tracks, "coco-18")
    stride = 1 if split == "test" else 6
    windows = cut_windows(seen, WindowRule(24, stride), fit_normaliser("stg-nf", seen))
    return sum(len(windows.batch(slice(begin, begin + 1024)).x) for begin in range(0, len(windows), 1024))


def one(stage: str, folder: Path) -> dict[str, Any]:
    """Runs a stage in this process."""
    split = STAGES[stage]
    work = restated if stage == "restated" else by_vadbench
    if work is by_vadbench:  # imports are told apart from the work
        import vadbench.data.cache.track_cache
        import vadbench.data.normalisation
        import vadbench.engine.poses  # noqa: F401
        import vadbench_datasets.pose_folder  # noqa: F401
    started = time.perf_counter()
    windows = work(folder, split)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"windows": windows, "seconds": seconds, "peak_mb": peak, "torch": "torch" in sys.modules}


def measured(stage: str, folder: Path, cache: Path) -> dict[str, Any]:
    """Runs a stage in a process of its own."""
    if stage.startswith("cold"):
        shutil.rmtree(cache, ignore_errors=True)
    environment = os.environ | {"VADBENCH_CACHE": "off" if stage == "not cached" else str(cache), "PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, __file__, str(folder), "--stage", stage]
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) | {"process": time.perf_counter() - started}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(tempfile.gettempdir()) / "vadbench-shanghaitech-scale")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        sys.stdout.write(json.dumps(one(given.stage, given.folder)))
        return
    from shanghaitech_scale import make

    make(given.folder)
    results: dict[str, list[dict[str, Any]]] = {stage: [] for stage in STAGES}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(given.repeat):
            for stage in STAGES:
                results[stage].append(measured(stage, given.folder, Path(cache) / "cache"))
    sys.stdout.write(f"{given.repeat} rounds; median (smallest to largest)\n")
    for stage, rows in results.items():
        seconds = [row["seconds"] for row in rows]
        middle = statistics.median(seconds)
        against = f"  {OFFICIAL_SECONDS / middle:5.0f}x faster than 29.3 s" if STAGES[stage] == "test" else ""
        sys.stdout.write(
            f"{stage:<12} {rows[0]['windows']:>8,} windows  {middle:6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})  "
            f"process {statistics.median(row['process'] for row in rows):6.2f} s  "
            f"peak {max(row['peak_mb'] for row in rows):6.0f} MB{' with torch' if rows[0]['torch'] else ''}{against}\n"
        )


if __name__ == "__main__":
    main()
