"""The check of a submission: its files, its row, and every figure computed again; nothing of it is executed or unpickled."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import PluginError, UsageError, VadbenchError
from vadbench.engine.config import resolve
from vadbench.engine.datasets import split_changes
from vadbench.engine.presets import load_preset, method_names
from vadbench.engine.programs import ProgramsRefusedError
from vadbench.report.reproduction import changed_keys
from vadbench.report.row_command import command_of_row, method_argument, title_of
from vadbench.report.row_files import row_name
from vadbench.report.submission.figures import recomputed
from vadbench.report.submission.files import read_sent
from vadbench.report.submission.findings import Findings
from vadbench.report.submission.known_labels import check_known
from vadbench.report.submission.labels import held_against
from vadbench.report.submission.names import check_not_anothers
from vadbench.store.submission import ROW

if TYPE_CHECKING:
    from vadbench.api import Progress, Registry
    from vadbench.report.submission.figures import SeedFigures
    from vadbench.report.submission.files import Sent
    from vadbench.report.submission.known_labels import Witnesses
    from vadbench.report.submission.labels import LabelsFrom
    from vadbench.store.row_record import RowRecord
    from vadbench.store.submission import Submission

logger = logging.getLogger(__name__)

MIN_SEEDS: Final = 5
"""As in ``leaderboards/README.md``."""
_FROM_RUNS: Final = ("cost", "environment", "transductive", "whether the scores were made by this configuration")
_FROM_DATA: Final = ("poses", "counts")
_SCORES_ONLY: Final = ("how the scores were made", "track")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of a submission gave.

    Args:
        folder: That was checked.
        row: Its row; None where it cannot be read.
        submission: Who sends it in; None where that cannot be read.
        labels_from: Whose labels were taken; None where there were none.
        seeds: Figures computed again.
        findings: Everything that was found.
        unchecked: What of the row nobody can check by the scores.
    """

    folder: Path
    row: RowRecord | None
    submission: Submission | None
    labels_from: LabelsFrom | None
    seeds: tuple[SeedFigures, ...]
    findings: Findings
    unchecked: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether there is no fault, and every seed was computed again."""
        return self.findings.exit_code == 0 and self.row is not None and len(self.seeds) == len(self.row.seeds)


def check_submission(
    folder: Path, registry: Registry, progress: Progress, *, root: Path | None, witnesses: Witnesses, min_seeds: int = MIN_SEEDS
) -> Checked:
    """Looks at everything that can be looked at, and goes on after a fault.

    Args:
        folder: Of the submission.
        registry: Of the installed components.
        progress: Where it is shown.
        root: Folder below which data sets lie.
        witnesses: Who knows the labels of data sets that are not here.
        min_seeds: Seeds that a row must have.

    Raises:
        UsageError: if there is no such folder.
    """
    findings = Findings()
    sent = None
    try:
        sent = read_sent(folder, findings, min_seeds=min_seeds)
        if sent is not None:
            return _check_sent(sent, findings, registry, progress, root=root, witnesses=witnesses)
    except UsageError:
        raise
    except VadbenchError as error:
        findings.error(error, ".")
    except Exception as error:
        # Whatever a stranger has thought of that nobody here has: it is refused, and other submissions are checked.
        logger.debug("the check of %s failed", folder, exc_info=True)
        findings.damaged(f"the check cannot go on: {type(error).__name__}: {error}", ".")
    return Checked(folder, None if sent is None else sent.row, None, None, (), findings, ())


def _check_sent(
    sent: Sent, findings: Findings, registry: Registry, progress: Progress, *, root: Path | None, witnesses: Witnesses
) -> Checked:
    folder = sent.folder
    if not check_not_anothers(sent.row, registry.names("dataset"), method_names(registry), witnesses.leaderboards, findings):
        return Checked(folder, sent.row, sent.submission, None, (), findings, ())
    against = held_against(sent, registry, root, findings, progress)
    seeds: list[SeedFigures] = []
    if against is not None:
        with progress.task("recompute", len(sent.row.seeds)) as advance:
            seeds = recomputed(sent, against, findings, advance)
        if against.labels_from == "submission":
            check_known(sent.row, witnesses, findings)
    if not sent.row.scores_only:
        _check_method(sent.row, registry, findings)
    unchecked: tuple[str, ...] = _SCORES_ONLY if sent.row.scores_only else _FROM_RUNS
    if not sent.row.scores_only and (against is None or against.inputs is None):
        unchecked += _FROM_DATA
    labels_from = None if against is None else against.labels_from
    return Checked(folder, sent.row, sent.submission, labels_from, tuple(seeds), findings, unchecked)


def checked_json(checked: Checked) -> dict[str, Any]:
    """The outcome as plain values; figures in percent, as everywhere on a leaderboard."""
    row = checked.row
    return {
        "folder": str(checked.folder),
        "row": None if row is None else row_name(row),
        "kind": None if row is None else row.kind,
        "sound": checked.sound,
        "exit_code": checked.findings.exit_code,
        "submission": None if checked.submission is None else checked.submission.model_dump(exclude={"files"}),
        "labels": checked.labels_from,
        "unit": "percent",
        "seeds": [
            {
                "seed": each.seed,
                "auroc_row": _percent(each.row),
                "auroc": _percent(each.metrics.auroc),
                "auroc_raw": _percent(each.metrics.auroc_raw),
                "ap": _percent(each.metrics.ap),
                "coverage": {name: _percent(share) for name, share in each.metrics.coverage.items()},
                "windows": each.windows,
            }
            for each in checked.seeds
        ],
        "not_checked": list(checked.unchecked),
        "findings": [asdict(each) for each in checked.findings.found],
    }


def _check_method(row: RowRecord, registry: Registry, findings: Findings) -> None:
    """Whether this installation would run the row's configuration by the row's name; only settings are looked at."""
    where = f"{ROW}: method"
    if not _installed(row, registry):
        what = f"no method {row.method.name!r} is installed here: vadbench reproduce cannot make the row by its name"
        findings.warning(what, where)
        return
    try:
        command = command_of_row(row, registry, out=Path(), dataset=row.dataset.name)
        now = resolve(
            load_preset(command.method, registry),
            registry,
            dataset=row.dataset.name,
            swaps=command.swaps,
            changes=split_changes(command.changes)[0],
            # Settings that somebody sent in: a component that starts programs may look at the disk even for its settings.
            allow_programs=False,
        )
    except (PluginError, ProgramsRefusedError) as error:
        # A fault of what is installed here, or something that may not be looked at: neither speaks for the row.
        what = f"whether {row.method.label} has the row's configuration cannot be looked at here: {error.what}"
        if isinstance(error, ProgramsRefusedError):
            what += "; a method that starts programs has a TOML file, and a name, of its own (docs/foreign-methods.md)"
        elif error.remedy:
            what += f"; {error.remedy}"
        findings.undecided(what, f"{where}.config")
        return
    except VadbenchError as error:
        # A row called by a method's name is taken for that method: nothing else may go by it.
        what = f"config: {row.method.name} is installed here, and {row.method.label} cannot be put together: {error.what}"
        findings.tampered(what, f"{where}.config")
        return
    if now.digest != row.method.config_hash:
        what = f"{row.method.label} is another configuration in this version: {changed_keys(row, now.settings)}"
        findings.tampered(f"config: {what}", f"{where}.config")
        return
    title = title_of(row.method, registry)
    if title != row.method.title:
        findings.tampered(f"title: the row says {row.method.title!r}, {row.method.name} is called {title!r}", f"{where}.title")
    findings.note("this installation has the row's configuration: vadbench reproduce can make it again", where)


def _installed(row: RowRecord, registry: Registry) -> bool:
    """Whether the row's name is that of a method here; a file of one's own may choose from a family of detectors, too."""
    told = method_argument(row.method, registry)
    if told == row.method.name:
        return told in method_names(registry)
    try:
        return bool(load_preset(told, registry)["name"] == row.method.name)
    except VadbenchError:
        return False


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 6)
