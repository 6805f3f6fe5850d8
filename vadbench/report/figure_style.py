"""How every picture looks: size, type, colours that colour-blind readers can tell apart, and names of runs."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl

from vadbench.api import UsageError
from vadbench.report.formatting import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vadbench.store.folders import StoredRun

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
"""Okabe and Ito's palette without yellow and black, and two of Tol's: distinct under every kind of colour blindness."""

ABNORMAL: Final = "#FBDCCB"
UNSCORED: Final = "#4D4D4D"
FAINT: Final = "#8C8C8C"

# Any: newer releases of matplotlib type every setting by its name, older ones none.
_STYLE: Final[dict[Any, Any]] = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "font.size": 11,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.titlesize": 13,
    "figure.constrained_layout.h_pad": 0.09,  # inches
    "figure.constrained_layout.w_pad": 0.09,
    "legend.fontsize": 10,
    "legend.frameon": False,
    # Without a fixed salt every SVG has other identifiers in it.
    "svg.hashsalt": "vadbench",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """The same picture whatever the user's ``matplotlibrc`` says; the settings are put back afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def term_colour(i: int) -> str:
    """Colour of the i-th term of a score, the same in every picture; the first colour is that of the whole score."""
    return COLOURS[(i + 1) % len(COLOURS)]


def run_label(run: StoredRun) -> str:
    """Method and seed."""
    return f"{run.record.method.label}, seed {run.record.seed}"


def as_text(text: str, width: int) -> str:
    """Lines of at most ``width`` characters, in which a dollar sign starts no formula."""
    return "\n".join(textwrap.fill(line, width) for line in text.splitlines()).replace("$", r"\$")


def figure_title(runs: Sequence[StoredRun], what: str) -> str:
    """What is shown, on which data set, under which protocol; and whether the data are a stand-in."""
    record = runs[0].record
    title = f"{what} on {record.dataset.name}, protocol {record.protocol}"
    return f"{title}\n({STAND_IN})" if record.dataset.stand_in else title


def check_comparable(runs: Sequence[StoredRun]) -> None:
    """Raises `UsageError` where runs do not belong in one picture: other data set, other labels, other protocol."""
    if not runs:
        raise UsageError("there is no run to draw", remedy="give at least one run folder")
    first = runs[0].record
    for run in runs[1:]:
        record = run.record
        for what, here, there in (
            ("data sets", first.dataset.name, record.dataset.name),
            ("labels", first.dataset.labels[:12], record.dataset.labels[:12]),
            ("protocols", f"{first.protocol} ({first.protocol_digest})", f"{record.protocol} ({record.protocol_digest})"),
        ):
            if here != there:
                raise UsageError(
                    f"runs of different {what} do not belong in one figure: {here} and {there}",
                    where=run.path,
                    remedy="draw them one by one",
                )
