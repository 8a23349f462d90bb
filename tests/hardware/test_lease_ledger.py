"""The folder in which leases stand: odd names, foreign files, locks, full disks, several users."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest
from fake_nvml import cards
from leases_kit import Runner, desk

from mlebench.errors import HardwareError
from mlebench.hardware import ledger
from mlebench.hardware.held import held_leases


class TestLedger:
    def test_a_lease_that_was_renewed_meanwhile_is_not_removed(self, tmp_path: Path, monkeypatch):
        book = ledger.Ledger(tmp_path)
        monkeypatch.setattr(ledger, "_runs", lambda record: False)
        with book.locked():
            ledger.close_lease(book.write(self.record()))
            (old,) = book.entries()
            file = book.write(self.record())
            book.remove(old)
            assert [entry.alive for entry in book.entries()] == [True]
            ledger.close_lease(file)
            book.remove(old)
            (new,) = book.entries()
            book.remove(new)
            assert book.entries() == []

    def record(self, owner: str = "a") -> ledger.Record:
        return ledger.new_record(owner, (ledger.Hold(device="GPU-1"),), None)

    def test_what_is_no_lease_is_passed_over(self, tmp_path: Path):
        book = ledger.Ledger(tmp_path)
        (tmp_path / "x.lease").write_text('{"owner": ')
        (tmp_path / "y.lease").symlink_to("/etc/passwd")
        os.mkfifo(tmp_path / "z.lease")
        (tmp_path / "big.lease").write_text("x" * 100_000)
        (tmp_path / "a.lease.0.tmp").write_text("left by a killed runner")
        with book.locked():
            assert book.entries() == []
        assert not (tmp_path / "a.lease.0.tmp").exists()

    def test_odd_names(self, tmp_path: Path):
        book = ledger.Ledger(tmp_path)
        for owner in ("../../etc/x", "a/b", ".hidden", "x" * 300, "name\nwith newline"):
            with book.locked():
                file = book.write(self.record(owner))
                assert owner in [entry.record.owner for entry in book.entries()]
            assert all(path.parent == tmp_path for path in tmp_path.iterdir())
            ledger.close_lease(file)

    def test_a_pid_that_was_given_to_another_process_is_not_the_runner(self, tmp_path: Path):
        book = ledger.Ledger(tmp_path)
        with book.locked():
            ledger.close_lease(book.write(self.record().model_copy(update={"start": "12345"})))
            assert [entry.alive for entry in book.entries()] == [False]
            ledger.close_lease(book.write(self.record()))
            assert [entry.alive for entry in book.entries()] == [True], "our own process"
            ledger.close_lease(book.write(self.record().model_copy(update={"boot": "another"})))
            assert [entry.alive for entry in book.entries()] == [False]

    def test_a_folder_of_somebody_else_is_refused(self, tmp_path: Path, monkeypatch):
        monkeypatch.delenv("MLEBENCH_LEASES_DIR")
        folder = tmp_path / "mlebench" / "leases"
        monkeypatch.setattr(ledger, "default_folder", lambda: folder)
        with ledger.Ledger().locked():
            pass
        folder.parent.chmod(0o777)
        with pytest.raises(HardwareError, match="only this user can write"), ledger.Ledger().locked():
            pass

    def test_the_lock_survives_tidying(self, tmp_path: Path):
        book, order = ledger.Ledger(tmp_path), []
        with book.locked():
            waiting = threading.Thread(target=lambda: self._enter(book, order))
            waiting.start()
            time.sleep(0.1)
            (tmp_path / "lock").unlink()  # the waiting one holds a file that is no longer there
            order.append("first")
        waiting.join()
        assert order == ["first", "second"] and (tmp_path / "lock").exists()

    def _enter(self, book: ledger.Ledger, order: list[str]) -> None:
        with book.locked():
            order.append("second")

    def test_a_lock_that_cannot_be_tried_frees_nothing(self, tmp_path: Path, monkeypatch):
        book = ledger.Ledger(tmp_path)
        with book.locked():
            ledger.close_lease(book.write(self.record().model_copy(update={"start": "12345"})))

            def refuse(file: int, how: int) -> None:
                raise OSError(9, "Bad file descriptor")

            monkeypatch.setattr(ledger.fcntl, "flock", refuse)
            assert [entry.alive for entry in book.entries()] == [True]

    def test_a_full_disk_gives_no_lease(self, tmp_path: Path, monkeypatch):
        book = ledger.Ledger(tmp_path)
        monkeypatch.setattr(os, "write", lambda file, content: 10)
        with book.locked(), pytest.raises(HardwareError, match="No space left"):
            book.write(self.record())
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_an_engine_that_does_not_answer_ends_no_lease(install, tmp_path: Path):
    install(*cards(1))

    def broken(name: str) -> bool:
        raise OSError("no engine")

    with Runner(tmp_path) as first:
        assert first.ask("take a")
    assert desk(living=broken, folder=tmp_path / "leases").take("b") is None


def test_anothers_lease_that_cannot_be_removed_is_passed_over(install, tmp_path: Path, monkeypatch):
    install(*cards(1))
    with Runner(tmp_path) as first:
        assert first.ask("take a")
    monkeypatch.setattr(ledger, "_try_unlink", lambda path: None)
    here = desk(folder=tmp_path / "leases")
    here.take("b")  # notices that it is dead
    assert here.take("b") is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")
def test_users_of_one_folder_respect_each_other(install, tmp_path_factory, monkeypatch):
    """A folder like /tmp: everybody writes, nobody removes what is another's."""
    install(*cards(3))
    folder = Path("/tmp") / f"mlebench-test-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o1777)
    try:
        mine = desk(folder=folder).take("root's")
        assert mine is not None

        def as_user(number: int, name: str, end: bool) -> list[str]:
            """What another user gets; the process then ends without giving it back, or gives it back."""
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.umask(0o077)
                os.setgid(number)
                os.setuid(number)
                here = desk(folder=folder)
                here.take(name)  # notices leases that are over
                lease = here.take(name)
                os.write(writing, json.dumps(lease.share.gpus if lease else []).encode())
                if end and lease:
                    lease.release()
                os._exit(0)
            os.close(writing)
            os.waitpid(child, 0)
            with os.fdopen(reading) as file:
                return json.loads(file.read())

        first = as_user(65534, "one", end=True)
        assert first and first != mine.share.gpus
        assert as_user(65534, "two", end=False) == first
        (dead,) = [held for held in held_leases(folder) if not held.runner_alive]
        assert dead.owner == "two" and dead.user == 65534
        third = as_user(65533, "three", end=False)
        assert third == first, "a third user may not remove the second's dead lease, and passes over it"
        assert sorted(held.owner for held in held_leases(folder)) == ["root's", "three", "two"]
        mine.release()
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
