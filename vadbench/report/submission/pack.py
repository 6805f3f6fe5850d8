"""Makes the folder of a submission, whole or not at all: of stored runs, or of score bundles."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vadbench.api import UsageError
from vadbench.api.bundle_meta import META
from vadbench.data.whole_folder import whole_folder
from vadbench.report.reproduced import reproduced_rows
from vadbench.report.row_files import publishable, row_text
from vadbench.report.submission.names import unfit_names
from vadbench.store.arrays import save_labels
from vadbench.store.folders import LABELS, SCORES, file_digest, open_run
from vadbench.store.submission import ROW, Submission, seed_folder, write_submission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vadbench.api import FrameLabels, Registry
    from vadbench.store.bundle import ScoreBundle
    from vadbench.store.folders import StoredRun
    from vadbench.store.row_record import RowRecord


@dataclass(frozen=True, slots=True)
class Packing:
    """What goes into a submission.

    Args:
        row: Its row.
        copies: Path below the folder to the file that it is a copy of, byte for byte.
        labels: Test labels and the scene of each clip; None to leave them out.
        warnings: What whoever sends it in should know first.
    """

    row: RowRecord
    copies: Mapping[str, Path]
    labels: tuple[FrameLabels, Mapping[str, str]] | None
    warnings: tuple[str, ...] = ()


def packing_of_runs(runs: Sequence[StoredRun], registry: Registry, *, labels: bool) -> Packing:
    """Of the runs of one row: the same row that ``vadbench leaderboard --write`` writes.

    Args:
        runs: One configuration, data state and protocol, over seeds.
        registry: Of the installed components, for the title.
        labels: Whether the test labels go with it.

    Raises:
        VadbenchError: if the scores of a run do not give its record, or it is damaged.
        UsageError: if the runs are of several rows, or one whose command alone would not make it again.
        DataError: if the seeds were run in different environments.
    """
    rows, left_out = reproduced_rows(runs)
    if left_out:
        raise left_out[0]
    if len(rows) != 1:
        told = "; ".join(f"{row.method} on {row.dataset}, {row.track}, {row.protocol}" for row in rows)
        raise UsageError(
            f"the runs are of {len(rows)} rows: {told}",
            where=rows[0].runs[0],
            remedy="give the runs of one configuration on one state of the data; several seeds are one row",
        )
    row = publishable(rows[0], registry)
    chosen = [open_run(path) for path in rows[0].runs]
    copies = {f"{seed_folder(run.record.seed)}/{SCORES}": run.path / SCORES for run in chosen}
    return Packing(row, copies, chosen[0].labels() if labels else None, tuple(_leak_warnings(chosen)))


def packing_of_bundles(
    row: RowRecord, bundles: Sequence[ScoreBundle], labels: tuple[FrameLabels, Mapping[str, str]] | None
) -> Packing:
    """Of score bundles and the row that they give: each seed's folder is its bundle."""
    copies: dict[str, Path] = {}
    for bundle in bundles:
        folder = seed_folder(bundle.meta.seed or 0)
        copies |= {f"{folder}/{SCORES}": bundle.path, f"{folder}/{META}": bundle.path.with_name(META)}
    return Packing(row, copies, labels)


def write_packing(
    packing: Packing,
    folder: Path,
    *,
    contact: str,
    licence: str,
    code: str = "",
    paper: str = "",
    notes: str = "",
    replace: bool = False,
) -> None:
    """Writes the folder of a submission, whole or not at all.

    Args:
        packing: What goes into it.
        folder: Made by this.
        contact: An e-mail or web address.
        licence: SPDX expression.
        code: Web address of the method's code.
        paper: arXiv identifier.
        notes: Whatever else a reader should know.
        replace: Whether a folder that is there may be replaced, with everything in it.

    Raises:
        UsageError: if something is there, nothing can be written here, or a name of the row cannot be that of a file.
        ValidationError: of pydantic, for a contact, licence, address or identifier that is none.
    """
    for key, what in unfit_names(packing.row):
        raise UsageError(what, where=key, remedy="give it another name (of a method, in its file), and run it again")
    about = {"contact": contact, "licence": licence, "code": code, "paper": paper, "notes": notes}
    # Before anything is copied.
    Submission(track=packing.row.method.track, files={}, **about)
    with whole_folder(folder.parent, [folder.name], replace=replace) as made:
        new = made / folder.name
        for name, source in packing.copies.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, new / name)
        if packing.labels is not None:
            save_labels(new / LABELS, *packing.labels)
        (new / ROW).write_text(row_text(packing.row), encoding="utf-8")
        names = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
        files = {name: file_digest(new / name) for name in names}
        write_submission(new, Submission(track=packing.row.method.track, files=files, **about))


def _leak_warnings(runs: Sequence[StoredRun]) -> list[str]:
    unchecked = [run.record.seed for run in runs if run.record.leak_check is None]
    found = [run.record.seed for run in runs if run.record.leak_check is not None and not run.record.leak_check.clean]
    warnings = []
    if unchecked:
        told = ", ".join(map(str, unchecked))
        warnings.append(f"vadbench check-leak was not run on seed {told}: the row says transductive false, and nobody looked")
    if found:
        warnings.append(f"vadbench check-leak has found something in seed {', '.join(map(str, found))}: see docs/label-safety.md")
    return warnings
