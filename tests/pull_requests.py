"""Pull requests for tests: commits of a checkout, and the workflow's own step in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]
WORKFLOW = PROJECT / ".github" / "workflows" / "leaderboards.yml"


def git(folder, *words):
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    return done.stdout.strip()


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "change", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def step():
    (run,) = (each for each in yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"] if each["name"] == "Check")
    return run


def run_step(folder, base):
    """The workflow's check, as its runner would: bash that stops at the first error, in the folder above the checkouts."""
    shutil.copytree(PROJECT / "leaderboards", folder.parent / "base" / "leaderboards", dirs_exist_ok=True)
    assert set(step()["env"]) == {"BASE"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step()["run"]],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BASE": base, "PATH": path},
    )


def changed(vadbench, base, folder, *options):
    return vadbench("submit", "check", "--changed-since", base, folder / "leaderboards", "--json", *options)
