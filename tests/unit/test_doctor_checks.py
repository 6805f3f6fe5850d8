"""The checks of ``vadbench data doctor`` on counts, labels, frames and windows: what they say, how gravely, and their bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_tracks import made_tracks
from read_splits import INFO, labelled, read, told

from vadbench.api import Expected, Finding
from vadbench.data.doctor.checks import FOLLOWS, without_consequences
from vadbench.data.doctor.counts import expected_counts
from vadbench.data.doctor.diagnosis import Case, Diagnosis
from vadbench.data.doctor.frame_ids import frame_stride, frames_from_one
from vadbench.data.doctor.labels import abnormal_training, inverted_labels, keep_masks, labels_one_longer, long_labels, one_class
from vadbench.data.doctor.presence import empty_clips, empty_frames
from vadbench.data.doctor.split import ReadSplit
from vadbench.data.doctor.windows import clips_without_window, gaps, short_tracks, unseen_abnormal_frames


class TestExpectedCounts:
    TRACKS = made_tracks({1: range(60)}, {1: range(20)})
    LABELS = labelled(TRACKS, range(10), range(0))
    RIGHT = Expected(clips=2, frames=80, counted=80, abnormal=10, poses=80)

    def test_right(self):
        assert told(expected_counts, read(self.TRACKS, self.LABELS, expected={"test": self.RIGHT})) == []
        assert told(expected_counts, read(self.TRACKS, self.LABELS)) == []
        assert told(expected_counts, read(self.TRACKS, self.LABELS, expected={"test": Expected()})) == []

    @pytest.mark.parametrize("number", ["clips", "frames", "counted", "abnormal"])
    def test_another_number(self, number):
        other = replace(self.RIGHT, **{number: 1234})
        found = list(expected_counts(read(self.TRACKS, self.LABELS, expected={"test": other})))
        assert [each.severity for each in found] == ["error"]
        assert "where 1,234 are expected" in found[0].what
        assert told(expected_counts, read(self.TRACKS, self.LABELS, split="train", expected={"train": other})) == [
            ("expected-counts", "warning")
        ]

    def test_other_poses_change_figures_but_do_not_spoil_them(self):
        found = told(expected_counts, read(self.TRACKS, self.LABELS, expected={"test": replace(self.RIGHT, poses=81)}))
        assert found == [("expected-counts", "warning")]

    def test_a_stand_in_is_never_a_result_anyway(self):
        split = read(self.TRACKS, self.LABELS, stand_in=True, expected={"test": replace(self.RIGHT, clips=3)})
        assert told(expected_counts, split) == [("expected-counts", "note")]

    def test_what_the_data_set_said_itself_is_not_said_again(self):
        other = {"test": replace(self.RIGHT, frames=1234)}
        own = Finding("extent", "note", "80 frames in place of 1,234", "somewhere", "nothing")
        assert told(expected_counts, read(self.TRACKS, self.LABELS, expected=other, own=(own,))) == []
        missing = Finding("no-mask", "error", "a clip has no mask", "somewhere", "add it")
        assert told(expected_counts, read(self.TRACKS, self.LABELS, expected=other, own=(missing,))) == []

    def test_without_labels_their_numbers_are_unknown(self):
        assert told(expected_counts, read(self.TRACKS, expected={"test": replace(self.RIGHT, abnormal=5, counted=5)})) == []


class TestLabels:
    TRACKS = made_tracks(*[{1: range(40)}] * 4)

    @pytest.mark.parametrize(("abnormal", "found"), [(range(0), 1), (range(40), 1), (range(20, 30), 0)])
    def test_one_class(self, abnormal, found):
        labels = labelled(self.TRACKS, *[abnormal] * 4)
        assert told(one_class, read(self.TRACKS, labels)) == [("one-class", "error")] * found
        assert told(one_class, read(self.TRACKS, labels, split="train")) == []

    def test_one_class_is_judged_on_the_frames_that_count(self):
        labels = labelled(self.TRACKS, *[range(20, 30)] * 4, keep=tuple([range(20)] * 4))
        assert told(one_class, read(self.TRACKS, labels)) == [("one-class", "error")]

    def test_no_frame_counts(self):
        labels = labelled(self.TRACKS, *[range(9)] * 4, keep=tuple([range(0)] * 4))
        (found,) = one_class(read(self.TRACKS, labels))
        assert found.what.startswith("not one frame counts")

    @pytest.mark.parametrize(
        ("abnormal", "found"),
        [
            ([range(37)] * 4, True),  # 92 % abnormal
            ([range(30)] * 4, True),  # begins abnormal, 75 % over all
            ([range(10, 38)] * 4, False),  # as much, but begins normal
            ([range(40), range(40), range(5, 20), range(5, 20)], False),  # half of the clips begin abnormal
        ],
    )
    def test_inverted(self, abnormal, found):
        labels = labelled(self.TRACKS, *abnormal)
        assert told(inverted_labels, read(self.TRACKS, labels)) == [("inverted-labels", "warning")] * found

    def test_abnormal_training(self):
        labels = labelled(self.TRACKS, range(5), range(0), range(9), range(0))
        (found,) = abnormal_training(read(self.TRACKS, labels, split="train"))
        assert found.severity == "warning"
        assert "14 of 160 training frames" in found.what
        assert [case.where for case in found.cases] == ["clip c2", "clip c0"]
        assert told(abnormal_training, read(self.TRACKS, labels)) == []
        supervised = read(self.TRACKS, labels, split="train", expected={"train": Expected(abnormal=14)})
        assert told(abnormal_training, supervised) == []

    def test_missing_keep_masks(self):
        labels = labelled(self.TRACKS, *[range(9)] * 4)
        subset = {"test": Expected(frames=160, counted=150)}
        assert told(keep_masks, read(self.TRACKS, labels, expected=subset)) == [("keep-masks", "error")]
        left_out = labelled(self.TRACKS, *[range(9)] * 4, keep=(range(30), *[range(40)] * 3))
        assert told(keep_masks, read(self.TRACKS, left_out, expected=subset)) == []
        assert told(keep_masks, read(self.TRACKS, labels, expected={"test": Expected(frames=160, counted=160)})) == []

    def test_labels_longer_than_poses(self):
        tracks = replace(
            self.TRACKS,
            clips=tuple(replace(clip, n_frames=n) for clip, n in zip(self.TRACKS.clips, (81, 80, 40, 40), strict=True)),
        )
        labels = labelled(tracks, *[range(9)] * 4)
        (found,) = long_labels(read(tracks, labels))
        assert found.severity == "warning"
        assert [case.where for case in found.cases] == ["clip c0"]
        assert "frame 39, the labels go on to frame 80" in found.cases[0].what

    @pytest.mark.parametrize(
        ("lengths", "found"), [((41, 41, 41, 41), 1), ((41, 41, 60, 50), 1), ((41, 41, 41, 40), 0), ((41, 50, 50, 50), 0)]
    )
    def test_labels_one_longer(self, lengths, found):
        clips = tuple(replace(clip, n_frames=n) for clip, n in zip(self.TRACKS.clips, lengths, strict=True))
        tracks = replace(self.TRACKS, clips=clips)
        assert told(labels_one_longer, read(tracks, labelled(tracks, *[range(9)] * 4))) == [("labels-one-longer", "note")] * found


class TestFrames:
    @pytest.mark.parametrize(
        ("first", "found"),
        [((1, 1, 1, 1, 1), 1), ((1, 1, 1, 7, 9), 1), ((1, 1, 1, 1, 0), 0), ((1, 1, 3, 4, 5), 0), ((1, 1, 1, 1), 0), ((), 0)],
    )
    def test_from_one(self, first, found):
        tracks = made_tracks(*[{1: range(begin, 20)} for begin in first])
        assert told(frames_from_one, read(tracks)) == [("frames-from-one", "warning")] * found

    @pytest.mark.parametrize(("stride", "found"), [(1, 0), (2, 1), (5, 1)])
    def test_stride(self, stride, found):
        tracks = made_tracks({1: range(0, 100, stride), 2: [0, 1, 50]})
        assert told(frame_stride, read(tracks)) == [("frame-stride", "error")] * found

    def test_stride_names_it(self):
        (found,) = frame_stride(read(made_tracks({1: range(0, 100, 5)})))
        assert "every 5th frame" in found.what

    def test_irregular_gaps_are_no_stride(self):
        rng = np.random.default_rng(0)
        frames = np.flatnonzero(rng.uniform(size=600) < 0.3)
        assert told(frame_stride, read(made_tracks({1: frames.tolist()}))) == []


class TestWindows:
    def test_gaps_by_share_of_windows_refused(self):
        whole = {2: range(1000)}
        # 40 windows of 8 rows run over the gap of ten frames, 5 of them within the two frames that may be missing.
        assert told(gaps, read(made_tracks({1: [*range(20), *range(30, 50)]} | whole))) == []
        torn = {1: [f for f in range(2000) if f % 8 not in (6, 7, 0)]}
        (found,) = gaps(read(made_tracks(torn | whole)))
        assert found.severity == "warning"
        (found,) = gaps(read(made_tracks(torn)))
        assert found.severity == "error"
        assert "100 % at T = 8" in found.what
        assert "3 frames are missing after this one" in found.cases[0].what

    def test_gaps_are_judged_at_the_usual_length_and_told_at_all(self):
        torn = made_tracks({1: [f for f in range(400) if f % 7]})
        (found,) = gaps(read(torn, lengths=(24, 8)))
        assert "at T = 24" in found.what
        assert "0 % at T = 8" in found.what
        assert told(gaps, read(torn, lengths=(8, 24))) == []

    @pytest.mark.parametrize(
        ("short", "found"), [(0, []), (11, []), (12, ["note"]), (42, ["note"]), (43, ["warning"]), (None, ["error"])]
    )
    def test_short_tracks_by_share_of_poses(self, short, found):
        """Tracks of 8 poses give no window of 8, tracks of 9 one."""
        long = {} if short is None else {1000: range(800)}
        tracks = made_tracks({p: range(8) for p in range(5 if short is None else short)} | long)
        assert [severity for _, severity in told(short_tracks, read(tracks))] == found

    def test_clips_without_window(self):
        tracks = made_tracks({1: range(9)}, {1: range(8)}, {}, *[{1: range(9)}] * 4)
        (found,) = clips_without_window(read(tracks))
        assert found.severity == "note"
        assert [case.where for case in found.cases] == ["clip c1"]
        assert told(clips_without_window, read(made_tracks({1: range(9)}, {1: range(8)}))) == [
            ("clips-without-window", "warning")
        ]

    def test_unseen_abnormal_frames(self):
        tracks = made_tracks({1: range(50, 100)})
        (found,) = unseen_abnormal_frames(read(tracks, labelled(tracks, range(40, 60))))
        assert found.severity == "warning"
        assert "50 % at T = 8 of the 20 abnormal frames" in found.what
        # The windows of a track of 50 poses end one row before its last.
        assert told(unseen_abnormal_frames, read(tracks, labelled(tracks, range(60, 99)))) == []
        (found,) = unseen_abnormal_frames(read(tracks, labelled(tracks, range(99, 100))))
        assert "100 % at T = 8" in found.what

    def test_frames_that_do_not_count_are_not_missed(self):
        tracks = made_tracks({1: range(50, 100)})
        labels = labelled(tracks, range(60), keep=(range(50, 100),))
        assert told(unseen_abnormal_frames, read(tracks, labels)) == []


class TestPresence:
    def test_empty_clips(self):
        assert told(empty_clips, read(made_tracks({1: [0]}, {}))) == [("empty-clips", "warning")]
        assert told(empty_clips, read(made_tracks(*[{1: [0]}] * 9, {}))) == [("empty-clips", "note")]
        assert told(empty_clips, read(made_tracks({1: [0]}))) == []

    @pytest.mark.parametrize(("begin", "found"), [(25, []), (26, ["note"]), (51, ["warning"])])
    def test_empty_frames(self, begin, found):
        assert [severity for _, severity in told(empty_frames, read(made_tracks({1: range(begin, 100)})))] == found


class TestConsequences:
    @staticmethod
    def diagnosis(check: str, severity: str) -> Diagnosis:
        return Diagnosis("test", check, severity, check, "nothing", (Case(check, "here"),))

    def test_what_follows_from_something_as_grave_is_left_out(self):
        cause, effect = self.diagnosis("short-tracks", "warning"), self.diagnosis("clips-without-window", "warning")
        assert without_consequences([effect, cause]) == [cause]

    def test_what_is_graver_than_its_cause_stays(self):
        cause, effect = self.diagnosis("short-tracks", "note"), self.diagnosis("clips-without-window", "warning")
        assert without_consequences([cause, effect]) == [cause, effect]

    def test_nothing_follows_from_itself(self):
        seen: set[str] = set()

        def visit(check: str, path: tuple[str, ...]) -> None:
            assert check not in path, path
            if check not in seen:
                seen.add(check)
                for effect in FOLLOWS.get(check, ()):
                    visit(effect, (*path, check))

        for check in FOLLOWS:
            visit(check, ())


class TestPlaces:
    def test_file_person_and_frame(self):
        tracks = made_tracks({4: [7, 9]})
        split = ReadSplit("test", INFO, tracks, None, {"c0": Path("/data/test/c0.json")}, (8,))
        assert split.place(0, 1) == "/data/test/c0.json, person 4, frame 9"
        assert split.place(0) == split.whole + "/c0.json" == "/data/test/c0.json"

    def test_clip_where_no_file_is_known(self):
        split = read(made_tracks({4: [7, 9]}))
        assert split.place(0, 0) == "clip c0, person 4, frame 7"
        assert split.whole == "test split of mine"
