"""How far a window is from the nearest training window: a program that needs NumPy and nothing of vadbench.

    python nearest_window.py fit WINDOWS MODEL SEED
    python nearest_window.py score WINDOWS MODEL SCORES

The folders are those that docs/foreign-methods.md describes.
"""

import json
import os
import sys

import numpy as np

KEPT = 4000  # training windows, drawn at random
BLOCK = 256  # windows that are compared at a time


def learn(x, seed):
    """(K, C*T*J) float32: some of the training windows x (W, C, T, J)."""
    rng = np.random.RandomState(seed % 2**32)
    chosen = np.sort(rng.permutation(len(x))[:KEPT])
    return np.array(x[chosen], dtype=np.float32).reshape(len(chosen), -1)


def distances(x, bank):
    """(W,) float64: distance of each window of x (W, C, T, J) to the nearest row of bank (K, C*T*J)."""
    bank = np.asarray(bank, dtype=np.float64)
    sizes = (bank**2).sum(axis=1)
    found = np.zeros(len(x))
    for begin in range(0, len(x), BLOCK):
        block = np.array(x[begin : begin + BLOCK], dtype=np.float64).reshape(-1, bank.shape[1])
        squares = (block**2).sum(axis=1)[:, None] + sizes - 2 * np.dot(block, bank.T)
        found[begin : begin + BLOCK] = np.sqrt(np.maximum(squares.min(axis=1), 0))
    return found


def fit(windows, model, seed):
    x = np.load(os.path.join(windows, "x.npy"), mmap_mode="r")
    bank = learn(x, int(seed))
    np.save(os.path.join(model, "bank.npy"), bank)
    print("kept", len(bank), "of", len(x), "windows")


def score(windows, model, scores):
    with open(os.path.join(windows, "windows.json"), encoding="utf-8") as file:
        told = json.load(file)
    x = np.load(os.path.join(windows, "x.npy"), mmap_mode="r")
    found = distances(x, np.load(os.path.join(model, "bank.npy")))
    rows = {name: np.load(os.path.join(windows, name + ".npy")) for name in ("clip", "person", "start")}
    np.savez(os.path.join(scores, "scores.npz"), score=found, **rows)
    print("scored", told["windows"], "windows of", told["window_length"], "frames")


if __name__ == "__main__":
    {"fit": fit, "score": score}[sys.argv[1]](*sys.argv[2:])
