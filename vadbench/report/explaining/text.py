"""An explanation to read: lines of text, and one JSON object."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from vadbench.report.explaining.codebook_gallery import in_words
from vadbench.report.formatting import STAND_IN, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vadbench.engine.explaining.clip import Alarm, ClipLines
    from vadbench.engine.explaining.codebook import Codebook, Example, Primitive
    from vadbench.report.explaining.explanation import Explanation
    from vadbench.store.record import RunRecord

_TOKENS: Final = 2
_JOINTS: Final = 4


def lines_of(found: Explanation, record: RunRecord) -> list[str]:
    """What was found, in plain words, a line each."""
    stand_in = f" ({STAND_IN})" if record.dataset.stand_in else ""
    told = [f"{record.method.label}, seed {record.seed}, on {record.dataset.name}{stand_in}", *found.notes]
    if found.book is not None:
        told.append(f"Codebook: {in_words(found.book)}.")
    where = ", of each person the highest window" if found.lines is None else f" of clip {found.lines.clip}"
    if found.alarms:
        told += [
            "",
            f"Top alarms{where}:",
            *(line for i, alarm in enumerate(found.alarms, 1) for line in _of_alarm(f"{i}.", alarm)),
        ]
    else:
        told += ["", "There is no window."]
    if found.frame is not None:
        told += ["", f"Frame {found.frame}, each person in the window whose middle is nearest to it:"]
        told += [line for alarm in found.at_frame for line in _of_alarm("-", alarm)]
        if found.book is not None and found.book.nearest:
            near = ", ".join(f"{primitive.code} ({distance:.2f})" for primitive, distance in found.book.nearest)
            told.append(f"  primitives that decode nearest to person {found.at_frame[0].person}'s poses around it: {near}")
    return told


def explanation_json(found: Explanation, record: RunRecord, run: str, pictures: Sequence[Path]) -> dict[str, Any]:
    """Everything as plain values, null where there is nothing; surprises in nats, distances in coordinates of windows."""
    made: dict[str, Any] = plain(
        {
            "run": run,
            "method": record.method.label,
            "seed": record.seed,
            "dataset": record.dataset.name,
            "stand_in": record.dataset.stand_in,
            "notes": list(found.notes),
            "statistics": {term: {"mean": mean, "sd": sd} for term, (mean, sd) in found.statistics.items()} or None,
            "alarms": [
                asdict(alarm) | {"nearest_training": _example(near)}
                for alarm, near in zip(found.alarms, found.nearest_training, strict=True)
            ],
            "clip": None if found.lines is None else _clip(found.lines),
            "frame": None if found.frame is None else _frame(found),
            "codebook": None if found.book is None else _codebook(found.book),
            "pictures": [str(path) for path in pictures],
        }
    )
    return made


def _of_alarm(name: str, alarm: Alarm) -> list[str]:
    level = "" if alarm.level is None else f", raised by {alarm.level}"
    if alarm.standardised:
        terms = ", ".join(f"{term} {value:+.1f} sd" for term, value in alarm.standardised.items())
    else:
        terms = ", ".join(f"{term} {value:.1f}" for term, value in alarm.terms.items())
    told = [
        f"{name} {alarm.clip}, person {alarm.person}, frame {alarm.frame} (window {alarm.first} to {alarm.last}): "
        f"score {alarm.score:.2f}{level}{f' ({terms})' if terms else ''}"
    ]
    if alarm.tokens:
        told.append(f"  codes {' '.join(str(token.code) for token in alarm.tokens)}{_odd_tokens(alarm)}")
    if alarm.joints:
        odd = ", ".join(
            f"{joint.name} {joint.standardised:+.1f} sd ({joint.excess:+.0f} nats)" for joint in alarm.joints[:_JOINTS]
        )
        told.append(f"  most surprising joints, against training: {odd}")
    return told


def _odd_tokens(alarm: Alarm) -> str:
    known = sorted(((token.surprise, token) for token in alarm.tokens if token.surprise is not None), key=lambda pair: -pair[0])
    if not known:
        return ""
    odd = ", ".join(f"{token.code} at {token.first} to {token.last} ({surprise:.1f} nats)" for surprise, token in known[:_TOKENS])
    return f"; most surprising: {odd}"


def _clip(lines: ClipLines) -> dict[str, Any]:
    persons = [
        {"person": line.person, "windows": len(line.windows), "tokens": [asdict(token) for token in line.tokens]}
        for line in lines.persons
    ]
    return {"name": lines.clip, "frames": lines.n_frames, "persons": persons}


def _frame(found: Explanation) -> dict[str, Any]:
    near = [{"code": primitive.code, "distance": distance} for primitive, distance in (found.book.nearest if found.book else ())]
    return {"frame": found.frame, "persons": [asdict(alarm) for alarm in found.at_frame], "nearest_primitives": near}


def _codebook(book: Codebook) -> dict[str, Any]:
    codes = [primitive.code for primitive in book.primitives]
    table = book.probabilities(codes)
    return {
        "size": book.size,
        "used": book.used,
        "perplexity": book.perplexity,
        "windows": book.windows,
        "primitives": [_primitive(primitive) for primitive in book.primitives],
        "transitions": [
            {"from": a, "to": b, "probability": float(table[i, j])}
            for i, a in enumerate(codes)
            for j, b in enumerate(codes)
            if table[i, j] > 0
        ],
    }


def _primitive(primitive: Primitive) -> dict[str, Any]:
    examples = [_example(example) for example in primitive.examples]
    return {"code": primitive.code, "usage": primitive.usage, "share": primitive.share, "examples": examples}


def _example(example: Example) -> dict[str, Any]:
    names = ("clip", "person", "first", "last", "distance")
    return {name: getattr(example, name) for name in names}
