"""The two names of a UBnormal clip: its own, as STG-NF uses it, and the number that COSKAD and MoCoDAD gave it.

``abnormal_scene_4_scenario_10_fire`` is ``004_1052``: 0 for abnormal or 1 for normal, two digits each for the scene and the
scenario, and two for what follows: 00 nothing, 51 fog, 52 fire, 53 smoke, otherwise the number that stands there.
"""

from __future__ import annotations

import re
from typing import Final

from vadbench.api import DataError

_SUFFIXES: Final = {"": "00", "fog": "51", "fire": "52", "smoke": "53"}
_WORDS: Final = {digits: word for word, digits in _SUFFIXES.items()}
_NAME: Final = re.compile(r"(ab)?normal_scene_(\d{1,2})_scenario(_?)(\d{1,2})(?:_(fog|fire|smoke|[1-9]|[1-4]\d|50))?")
_NUMBER: Final = re.compile(r"([01])(\d\d)_(\d\d)(\d\d)")


def clip_number(name: str) -> str:
    """The number of a clip, e.g. ``004_1052``. Raises `DataError` for what is no name of a UBnormal clip."""
    match = _NAME.fullmatch(name)
    if match is not None:
        abnormal, scene, _, scenario, suffix = match.groups()
        last = _SUFFIXES.get(suffix or "") or f"{int(suffix):02d}"
        number = f"{'0' if abnormal else '1'}{int(scene):02d}_{int(scenario):02d}{last}"
        if clip_called(number) == name:
            return number
    raise DataError(
        f"{name!r} is not the name of a UBnormal clip",
        remedy="clips are called normal_ or abnormal_scene_<S>_scenario_<K>, with _fog, _fire, _smoke or a number after it",
    )


def clip_called(number: str) -> str:
    """The name of the clip with a number such as ``004_1052``. Raises `DataError` for what is no such number."""
    match = _NUMBER.fullmatch(number)
    if match is not None and (match[4] in _WORDS or int(match[4]) <= 50):
        kind, scene, scenario, last = "normal" if match[1] == "1" else "abnormal", int(match[2]), int(match[3]), match[4]
        suffix = _WORDS.get(last, str(int(last)))
        # UBnormal writes the normal clips of scene 1, and these alone, without the underscore: normal_scene_1_scenario1_10.
        underscore = "" if (kind, scene) == ("normal", 1) else "_"
        return f"{kind}_scene_{scene}_scenario{underscore}{scenario}{suffix and f'_{suffix}'}"
    raise DataError(
        f"{number!r} is not the number of a UBnormal clip",
        remedy="clips are numbered <0 abnormal, 1 normal><scene, 2 digits>_<scenario, 2 digits><2 digits>, e.g. 004_1052",
    )
