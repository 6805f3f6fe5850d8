"""An ablation for programs: one JSON object, and CSV. AUROCs and differences in percent, p in [0, 1], null where undefined."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vadbench.report.ablation.table import TUNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.engine.ablation.runs import Ablation
    from vadbench.evaluation.intervals import Interval
    from vadbench.report.ablation.main_effects import Level, MainEffects
    from vadbench.report.ablation.rows import AblationRow, AblationTable


def ablation_json(
    ablation: Ablation, tables: Sequence[AblationTable], effects: Sequence[MainEffects], notes: Sequence[str]
) -> str:
    """One JSON object: ``tables`` a data set each, ``main_effects`` for a factorial, ``failed``, ``left_out``, ``notes``."""
    plan = ablation.plan
    content: dict[str, Any] = {
        "unit": "percent",
        "method": plan.method,
        "base": plan.grid.base,
        "seeds": list(plan.seeds),
        "runs": {"planned": len(plan.runs), "made": ablation.made, "reused": ablation.reused},
        "tables": [
            {
                "dataset": table.dataset,
                "stand_in": table.stand_in,
                "protocol": table.protocol,
                "clips": table.clips,
                "frames": table.frames,
                "rows": [_row_cells(row) for row in table.rows],
            }
            for table in tables
        ],
        "main_effects": [_effects_cells(each) for each in effects],
        "failed": [
            {
                "variants": list(failure.variants),
                "dataset": failure.dataset,
                "seed": failure.seed,
                "error": {
                    "what": failure.what,
                    "where": failure.where,
                    "remedy": failure.remedy,
                    "exit_code": failure.exit_code,
                },
            }
            for failure in ablation.failed
        ],
        "left_out": [
            {"what": error.what, "where": error.where, "remedy": error.remedy} for table in tables for error in table.left_out
        ],
        "notes": list(notes),
        "choosing": TUNING,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def ablation_csv(tables: Sequence[AblationTable]) -> str:
    """One line a variant and data set; a column for each term and diagnostic, lists joined by blanks."""
    import pandas as pd

    lines: list[dict[str, Any]] = []
    for table in tables:
        for row in table.rows:
            cells = _row_cells(row)
            line: dict[str, Any] = {"dataset": table.dataset, "stand_in": table.stand_in, "protocol": table.protocol}
            for name, value in cells.items():
                if name in ("auroc_interval", "difference_interval"):
                    stem = name.removesuffix("_interval")
                    line |= {f"{stem}_low": value and value["low"], f"{stem}_high": value and value["high"]}
                elif name == "terms":
                    line |= {f"term_{term}": spread["auroc"] for term, spread in value.items()}
                elif name == "diagnostics":
                    line |= {told: spread["mean"] for told, spread in value.items()}
                else:
                    line[name] = " ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(line)
    # As objects: an empty cell would otherwise turn whole numbers of a column into decimals.
    return pd.DataFrame(lines, dtype=object).to_csv(index=False, lineterminator="\n") if lines else ""


def effects_csv(effects: Sequence[MainEffects]) -> str:
    """One line a level."""
    import pandas as pd

    lines = []
    for each in effects:
        for slot, levels in each.factors.items():
            for level in levels:
                cells = _level_cells(level)
                for name in ("auroc_interval", "effect_interval"):
                    interval, stem = cells.pop(name), name.removesuffix("_interval")
                    cells |= {f"{stem}_low": interval["low"], f"{stem}_high": interval["high"]}
                cells["runs"] = len(cells.pop("single"))
                lines.append({"dataset": each.dataset, "stand_in": each.stand_in, "factor": slot, **cells})
    return pd.DataFrame(lines, dtype=object).to_csv(index=False, lineterminator="\n") if lines else ""


def _row_cells(row: AblationRow) -> dict[str, Any]:
    return {
        "variant": row.variant,
        "question": row.question,
        "source": row.source,
        "same_as": row.same_as,
        "seeds": list(row.seeds),
        "auroc": _percent(row.auroc.mean),
        "auroc_sd": _percent(row.auroc.sd),
        "auroc_interval": _interval_cells(row.interval),
        "difference": _percent(row.difference),
        "difference_sd": _percent(row.difference_sd),
        "difference_interval": None if row.difference_interval is None else _interval_cells(row.difference_interval),
        "p": row.p,
        "terms": {name: {"auroc": _percent(spread.mean), "auroc_sd": _percent(spread.sd)} for name, spread in row.terms.items()},
        "diagnostics": {name: {"mean": spread.mean, "sd": spread.sd} for name, spread in row.diagnostics.items()},
        "parameters": row.parameters,
        "fit_s": None if row.fit_s is None else round(row.fit_s, 3),
        "runs": [str(path) for path in row.runs],
    }


def _effects_cells(effects: MainEffects) -> dict[str, Any]:
    return {
        "dataset": effects.dataset,
        "stand_in": effects.stand_in,
        "protocol": effects.protocol,
        "auroc": _percent(effects.mean),
        "runs": effects.runs,
        "seeds": list(effects.seeds),
        "balanced": effects.balanced,
        "absent": list(effects.absent),
        "factors": {slot: [_level_cells(level) for level in levels] for slot, levels in effects.factors.items()},
    }


def _level_cells(level: Level) -> dict[str, Any]:
    return {
        "level": level.name,
        "auroc": _percent(level.mean),
        "auroc_interval": _interval_cells(level.interval),
        "effect": _percent(level.effect),
        "effect_interval": _interval_cells(level.effect_interval),
        "single": [_percent(value) for value in level.single],
    }


def _interval_cells(interval: Interval) -> dict[str, Any]:
    return {
        "low": _percent(interval.low) if interval.known else None,
        "high": _percent(interval.high) if interval.known else None,
        "level": interval.level,
        "method": interval.method,
        "resamples": interval.resamples,
        "reason": interval.reason,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 6)
