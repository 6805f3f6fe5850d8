"""``pytest --vadbench`` and ``parametrize_with_checks``, in sessions of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BAD = Path(__file__).resolve().parents[1] / "bad_plugins"
OTHERS = ("benchmark", "hypothesispytest")


def session(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs pytest in ``folder``, without the plug-ins that it does not need."""
    without = [part for name in OTHERS for part in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *without, *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "240"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def test_checks_are_tests_with_ids(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    done = session(tmp_path, "--vadbench", "scorer/nats", "-v", "-k", "order or cuda or monotone", f"--junitxml={report}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "vadbench::scorer/nats::order_does_not_matter PASSED" in done.stdout
    assert "3 passed" in done.stdout
    names = set(re.findall(r'<testcase classname="vadbench.scorer/nats" name="(\w+)"', report.read_text()))
    assert names == {"monotone", "order_of_terms", "order_does_not_matter"}


def test_collection_counts_them(tmp_path: Path) -> None:
    done = session(tmp_path, "--vadbench", "scorer/nats", "--vadbench", "scorer/max", "--co", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "vadbench::scorer/nats::signatures" in done.stdout
    assert "vadbench::scorer/max::signatures" in done.stdout


def test_failures_are_messages_without_a_traceback(tmp_path: Path) -> None:
    done = session(tmp_path, f"--vadbench={BAD / 'seeds_generators.py'}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "vadbench::detector/bad-seeds-generators::global_generators_untouched - Failed: expected" in done.stdout
    assert "expected  the global generator of NumPy to be left alone" in done.stdout
    assert "contract  vadbench.api.context, docs/contracts/detector.md" in done.stdout
    assert "Traceback" not in done.stdout
    assert "vadbench/testing" not in done.stdout.partition("short test summary")[0].replace("Captured", "")
    assert "1 failed" in done.stdout
    assert "skipped" in done.stdout


def test_plugin_that_cannot_be_loaded_is_a_failed_test(tmp_path: Path) -> None:
    done = session(tmp_path, f"--vadbench={BAD / 'misspelt_hook.py'}", "-rf")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED vadbench::misspelt_hook::loads" in done.stdout
    assert "did you mean vadbench_register?" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--vadbench", "scorer/natz"), "did you mean 'nats'?"),
        (("--vadbench", "scorer/nats", "--vadbench-set", "scorer.none=1"), "no scorer that is checked has the setting 'none'"),
        (("--vadbench-set", "scorer.none=1"), "belong to --vadbench NAME"),
    ],
)
def test_usage_errors(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = session(tmp_path, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_sessions_that_do_not_ask_import_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_light.py").write_text(
        "import sys\n\n\ndef test_light(request):\n"
        "    assert request.config.pluginmanager.hasplugin('vadbench')\n"
        "    heavy = {'torch', 'numpy', 'vadbench.engine', 'vadbench.testing.checks'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    done = session(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_parametrized_test_of_a_module_that_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "my_sum.py").write_text(
        "from vadbench.api import hookimpl\n\n\n"
        "class Sum:\n"
        "    expected_failures = {'no_windows': 'not yet'}\n"
        "    def __init__(self, config):\n        pass\n"
        "    def fit(self, terms):\n        pass\n"
        "    def score(self, terms):\n"
        "        assert all(len(values) for values in terms.values())\n"
        "        return sum(terms.values())\n"
        "    def state_dict(self):\n        return {}\n"
        "    def load_state_dict(self, state_dict):\n        pass\n\n\n"
        "@hookimpl\ndef vadbench_register(registry):\n    registry.scorer('my-sum', 'my_sum:Sum')\n"
    )
    (tmp_path / "test_mine.py").write_text(
        "from vadbench.testing import parametrize_with_checks\n\n\n"
        "@parametrize_with_checks(plugin='my_sum')\ndef test_mine(check):\n    check()\n\n\n"
        "@parametrize_with_checks('scorer nats')\ndef test_theirs(check):\n    check()\n"
    )
    done = session(tmp_path, "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_mine.py::test_mine[scorer/my-sum-scores] PASSED" in done.stdout
    assert "test_mine.py::test_mine[scorer/my-sum-no_windows] XFAIL (not yet)" in done.stdout
    assert "test_mine.py::test_theirs[scorer/nats-scores] PASSED" in done.stdout


def test_parametrize_wants_one_of_two() -> None:
    from vadbench.testing import parametrize_with_checks

    with pytest.raises(TypeError, match="name either a component"):
        parametrize_with_checks()
