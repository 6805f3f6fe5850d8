"""A foreign program for tests: it reads windows and writes scores as well as it is told to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from vadbench.api import Context, PoseShape, Windows
from vadbench_foreign.detector import Command
from vadbench_foreign.settings import CommandConfig

# One argument says how to act. Scores are the sum of a window's x; of the model, the number that fit left is added.
PROGRAM = """
import json, os, shutil, sys
import numpy as np


def tricks(act, folders):
    did, _, name = act.partition(" ")
    if did not in ("delete", "link", "file", "all") or folders.get(name) is None:
        return
    folder = folders[name]
    if did == "all":
        shutil.rmtree(os.path.dirname(folder))
        sys.exit()
    shutil.rmtree(folder)
    if did == "link":
        os.symlink(os.path.abspath("elsewhere"), folder)
    if did == "file":
        open(folder, "w").close()
    if name == step_folder:
        sys.exit()


act, step, windows, model = sys.argv[1:5]
step_folder = {"fit": "model", "score": "scores"}[step]
told = json.load(open(os.path.join(windows, "windows.json")))
x = np.load(os.path.join(windows, "x.npy"))
with open("calls.txt", "a") as file:
    file.write(f"{step} {len(x)}\\n")
if step == "fit":
    np.savetxt(os.path.join(model, "level.txt"), [1000.0])
    if act == "many files":
        os.makedirs(os.path.join(model, "deep", "er"))
        open(os.path.join(model, "empty"), "w").close()
        np.save(os.path.join(model, "deep", "er", "__metadata__"), x[:1])
    if act == "link":
        os.symlink("level.txt", os.path.join(model, "latest"))
    if act == "nothing learned":
        os.remove(os.path.join(model, "level.txt"))
    if act.startswith("named "):
        os.makedirs(os.path.dirname(os.path.join(model, act[6:])) or ".", exist_ok=True)
        open(os.path.join(model, act[6:]), "w").close()
tricks(act, {"windows": windows, "model": model, "scores": sys.argv[5] if step == "score" else None})
if step == "fit":
    sys.exit()
out = sys.argv[5]
level = os.path.join(model, "level.txt")
score = x.astype(float).sum(axis=(1, 2, 3)) + (np.loadtxt(level) if os.path.exists(level) else 0)
clip, person, start = (np.load(os.path.join(windows, name + ".npy")) for name in ("clip", "person", "start"))
more = {}
if act == "by frame":
    score = x.astype(float).sum(axis=(1, 3))
elif act == "by frame in one view":
    score = x.astype(float).sum(axis=(1, 3)) if np.load(os.path.join(windows, "view.npy"))[0] else score
elif act == "shuffled":
    order = np.random.RandomState(0).permutation(len(score))
    clip, person, start, score = clip[order], person[order], start[order], score[order]
elif act == "missing":
    clip, person, start, score = clip[3:], person[3:], start[3:], score[3:]
elif act == "unknown":
    person = person.copy()
    person[5] = 77
elif act == "doubled":
    clip, person, start, score = (np.concatenate([part, part[:2]]) for part in (clip, person, start, score))
elif act == "nan":
    score[4] = np.nan
elif act == "shape":
    score = np.stack([score, score], axis=1)
elif act == "pickled":
    score = score.astype(object)
elif act == "terms":
    more = {"term_a": score, "term_b": -score}
elif act in ("meta", "meta of another length"):
    length = told["window_length"] + (act != "meta")
    meta = {"method": "x", "window_length": length, "dataset": "any", "higher_is_more_anomalous": False}
    json.dump(meta, open(os.path.join(out, "meta.json"), "w"))
if act == "nothing":
    open(os.path.join(out, "skores.npz"), "w").close()
elif act in ("csv", "csv by frame", "csv with a word", "csv of odd lines", "both"):
    frames = x.astype(float).sum(axis=(1, 3))
    with open(os.path.join(out, "scores.csv"), "w") as file:
        columns = ["score_%d" % t for t in range(frames.shape[1])] if "by frame" in act else ["score"]
        file.write(",".join(["clip", "person", "start"] + columns) + "\\n")
        for row in reversed(range(len(score))):
            values = frames[row] if "by frame" in act else ["high" if "word" in act and row == 2 else repr(float(score[row]))]
            file.write(",".join([str(clip[row]), str(person[row]), str(start[row])] + [str(value) for value in values]))
            file.write(",1\\n" if "odd" in act and row == 2 else "\\n")
if act == "odd names":
    open(os.path.join(out, "\\udcff\\x1b[2J"), "w").close()
if act == "odd clip":
    clip = clip.copy()
    clip[3] = "\\x1b[2J"
if "csv" not in act and act not in ("nothing", "odd names"):
    np.savez(os.path.join(out, "scores.npz"), clip=clip, person=person, start=start, score=score, **more)
for name in ("scores.npz", "scores.csv", "meta.json"):
    if act == name + " as a link":
        there = os.path.join(out, name)
        if os.path.exists(there):
            os.rename(there, os.path.abspath(name))
        os.symlink(os.path.abspath(name), there)
"""


def write_program(folder: Path) -> Path:
    """Writes the program into a folder."""
    path = folder / "program.py"
    path.write_text(PROGRAM)
    return path


def command_settings(folder: Path, act: str = "well", *, learns: bool = True, **more: Any) -> dict[str, Any]:
    """Settings of a detector that calls the program."""
    begin = [sys.executable, "program.py", act]
    fit = [*begin, "fit", "{windows}", "{model}"] if learns else []
    score = [*begin, "score", "{windows}", "{model}", "{scores}"]
    return {"folder": str(folder), "fit": fit, "score": score, **more}


def command_of(folder: Path, shape: PoseShape, act: str = "well", **more: Any) -> Command:
    """A detector that calls the program in a folder."""
    return Command(CommandConfig(**command_settings(folder, act, **more)), shape)


def calls(folder: Path) -> list[str]:
    """The calls so far: ``fit 216``, ``score 12``."""
    path = folder / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


def fitted(folder: Path, windows: Windows, act: str = "well", **more: Any) -> Command:
    """A detector that was fitted on windows."""
    detector = command_of(folder, windows.shape, act, **more)
    detector.fit(windows, Context())
    return detector
