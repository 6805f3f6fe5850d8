"""Files of a submission: missing, too many, leading away, too large, no archives, no JSON; and who sends it."""

from __future__ import annotations

import shutil
import zipfile

import pytest
from submissions import checked, edit, faults, mend_hashes


class TestFiles:
    def test_a_seed_is_missing(self, sent):
        shutil.rmtree(sent / "seed-1")
        found = faults(checked(sent))
        assert "submission.json names this file, and it is missing [seed-1/scores.npz]" in found
        mend_hashes(sent)
        assert faults(checked(sent)) == ["the file is missing, and the row names its seed [seed-1/scores.npz]"]

    def test_a_file_too_many(self, sent):
        (sent / "setup.py").write_text("raise SystemExit")
        assert faults(checked(sent)) == [
            "submission.json does not name this file [setup.py]",
            "this file is no part of a submission [setup.py]",
        ]
        mend_hashes(sent)
        assert faults(checked(sent)) == ["this file is no part of a submission [setup.py]"]

    def test_links(self, sent, tmp_path):
        shutil.move(sent / "seed-1", tmp_path / "elsewhere")
        (sent / "seed-1").symlink_to(tmp_path / "elsewhere")
        (sent / "more.json").symlink_to("/etc/hostname")
        found = faults(checked(sent))
        assert "a link: a submission holds files alone, and none is followed [seed-1]" in found
        assert "a link: a submission holds files alone, and none is followed [more.json]" in found
        assert any(fault.startswith("the file is missing") for fault in found)

    def test_notes_may_have_lines_and_nothing_else(self, vadbench, sent, runs):
        edit(sent / "submission.json", lambda about: about.update(notes="one\n\ttwo"))
        assert checked(sent).sound
        edit(sent / "submission.json", lambda about: about.update(notes="\x1b[2J"))
        assert r"'\x1b[2J' holds a control character [submission.json: notes]" in faults(checked(sent))
        asked = ("--contact", "a@b.org", "--licence", "MIT", "-o", "new")
        called = vadbench("submit", "pack", runs, *asked, "--notes", "\x1b[2J")
        assert (called.code, "holds a control character" in called.err) == (2, True)

    def test_a_file_that_leads_away_is_not_read(self, sent):
        edit(sent / "submission.json", lambda about: about["files"].update({"../../etc/passwd": "0"}))
        assert faults(checked(sent)) == ["submission.json names this file, and it is missing [../../etc/passwd]"]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda about: about.pop("licence"), "the key 'licence' is missing"),
            (lambda about: about.update(licence="mine"), "'mine' is no SPDX licence"),
            (lambda about: about.pop("contact"), "the key 'contact' is missing"),
            (lambda about: about.update(contact="me"), "'me' is no e-mail address"),
            (lambda about: about.update(track="few-shot"), "[submission.json: track]"),
            (lambda about: about.update(licens="MIT"), "unknown key 'licens'; did you mean 'licence'"),
            (lambda about: about.pop("files"), "the key 'files' is missing"),
            (lambda about: about.update(notes="\ud800"), r"'\ud800' holds a control character"),
            (lambda about: about.update({"\ud800": 1}), r"'\ud800' holds a control character"),
        ],
    )
    def test_who_sends_it(self, sent, change, said):
        edit(sent / "submission.json", change)
        outcome = checked(sent)
        (fault,) = faults(outcome)
        assert said in fault
        assert outcome.findings.exit_code == 3
        assert not outcome.sound

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "this is no JSON"),
            ("[" * 100_000, "this is no JSON"),
            ('{"contact": "a@b.org", "contact": "c@d.org"}', "the key 'contact' stands there twice"),
            ('{"contact": NaN}', "NaN is no number"),
            ('{"contact": 1e999}', "1e999 is too large a number"),
            ('{"contact": 99999999999999999999}', "is too large a number"),
            ("[" * 33 + "]" * 33, "more than 32 deep"),
            ("[]", "should be an object"),
            (" " * (2**20 + 1), "are allowed"),
        ],
    )
    @pytest.mark.parametrize("name", ["row.json", "submission.json"])
    def test_json(self, sent, name, text, said):
        (sent / name).write_text(text)
        assert any(said in fault for fault in faults(checked(sent)))

    def test_too_few_seeds_and_no_folder(self, vadbench, sent, tmp_path):
        called = vadbench("submit", "check", sent)
        assert (called.code, "2 seeds (0, 1), and a row of these leaderboards has at least 5" in called.out) == (3, True)
        called = vadbench("submit", "check", tmp_path / "nowhere")
        assert (called.code, "there is no such folder" in called.err) == (2, True)

    def test_the_name_of_the_folder(self, sent, tmp_path):
        place = tmp_path / "submissions" / "synthetic-campus" / "best"
        shutil.copytree(sent, place)
        (fault,) = faults(checked(place))
        assert fault.startswith("the folder is synthetic-campus/best, and its row is called synthetic-campus/knn-")


class TestArchives:
    def npz(self, path, header, *, size=128):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            head = f"{header:<117}\n".encode()
            archive.writestr("score.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(size))

    def test_a_header_that_claims_what_is_not_there(self, sent):
        self.npz(sent / "seed-0" / "scores.npz", "{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000,), }")
        mend_hashes(sent)
        assert any("the array score claims the shape (9000000000000,)" in fault for fault in faults(checked(sent)))

    def test_an_archive_that_unpacks_to_too_much(self, sent, monkeypatch):
        monkeypatch.setattr("vadbench.store.untrusted.LARGEST_ARCHIVE", 2**20)
        size = 2**21
        shape = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}"
        self.npz(sent / "seed-0" / "scores.npz", shape, size=size)
        mend_hashes(sent)
        assert any("its arrays take 2.0 MiB unpacked, and 1.0 MiB are allowed" in fault for fault in faults(checked(sent)))

    def test_a_large_file(self, sent, monkeypatch):
        monkeypatch.setattr("vadbench.report.submission.files.LARGEST_FILE", 1000)
        assert any("bytes, and 1000 are allowed [seed-0/scores.npz]" in fault for fault in faults(checked(sent)))

    def test_names_and_code_in_an_archive(self, sent):
        for name, said in (("../x.npy", "'../x.npy', which is no array"), ("run.py", "'run.py', which is no array")):
            with zipfile.ZipFile(sent / "seed-0" / "scores.npz", "w") as archive:
                archive.writestr(name, "import os")
            mend_hashes(sent)
            assert any(said in fault for fault in faults(checked(sent)))

    def test_cut_short(self, sent):
        for name in ("seed-0/scores.npz", "labels.npz"):
            (sent / name).write_bytes((sent / name).read_bytes()[:-40])
        mend_hashes(sent)
        found = faults(checked(sent))
        assert {fault.rpartition(" ")[2] for fault in found} == {"[seed-0/scores.npz]", "[labels.npz]"}
