"""Files are there wholly or not at all, and failures say what to do."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.files import json_bytes, nested_deeper, replacing, write_archive, write_file


def left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "new" / "directory" / "file"
    for content in (b"one", b"two", b""):
        write_file(target, content)
        assert target.read_bytes() == content
    assert left(target.parent) == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_the_mode_is_the_one_asked_for_from_the_start(tmp_path: Path, mode: int) -> None:
    with replacing(tmp_path / "file", mode=mode) as partial:
        assert partial.stat().st_mode & 0o777 == mode
        partial.write_bytes(b"secret")
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interruption_leaves_the_old_file_alone(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "file"
    write_file(target, b"old")

    def interrupted() -> None:
        with replacing(target) as partial:
            partial.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert target.read_bytes() == b"old"
    assert left(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    write_file(target, b"old")

    def full(path: Path, content: bytes) -> int:
        path.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left") as caught:
        write_file(target, b"new")
    assert "free space" in caught.value.advice
    assert target.read_bytes() == b"old"
    assert left(tmp_path) == ["file"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for target in (tmp_path / "file" / "below", tmp_path):
        with pytest.raises(InputError, match=f"^{target}: cannot write"):
            write_file(target, b"")


def test_threads_that_write_the_same_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    target, failures = tmp_path / "file", []

    def write(content: bytes) -> None:
        try:
            for _ in range(20):
                write_file(target, content)
        except InputError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(bytes([at]) * 1000,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set(target.read_bytes())) == 1
    assert left(tmp_path) == ["file"]


def test_json_has_one_form() -> None:
    document = {"b": "Grüße ☎", "a": [1, {}]}
    assert json_bytes(document) == json_bytes(json.loads(json_bytes(document)))
    assert json_bytes(document).decode().endswith("}\n")
    assert "Grüße ☎" in json_bytes(document).decode()


def depth(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)


JSON = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\a', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner, max_size=3)
    ),
)


@given(JSON, st.integers(1, 4))
def test_depth_is_counted_outside_strings(document: object, levels: int) -> None:
    found = nested_deeper(json.dumps(document).encode(), levels)
    if depth(document) <= levels:
        assert not found
    if depth(document) > 3 * levels:
        assert found


@pytest.mark.parametrize(
    "content", [b"[" * 2_000_000, b"[]" * 2_000_000, b'[[[[["' + b'\\"[' * 1_000_000, b"]" * 2_000_000]
)
def test_depth_takes_no_longer_than_reading(content: bytes) -> None:
    started = time.monotonic()
    nested_deeper(content, 4)
    assert time.monotonic() - started < 5


#: Writes an archive without end, or a file, and says when it has begun.
WRITER = """
import itertools, sys, time
from pathlib import Path
from billproof.files import replacing, write_archive
path = Path(sys.argv[1])
if sys.argv[2] == "archive":
    for at, _ in enumerate(write_archive(path, ((f"{n}.json", bytes(1000)) for n in itertools.count()))):
        if at == 100:
            print("begun", flush=True)
            time.sleep(60)
with replacing(path) as partial:
    print("begun", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def writing(path: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is in the middle of writing."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), what], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process
        process.kill()


@pytest.mark.parametrize("what", ["archive", "file"])
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path, what: str) -> None:
    target = tmp_path / "all.zip"
    with writing(target, what) as killed:
        pass
    killed.wait()
    (partial,) = left(tmp_path)
    assert partial.endswith(".partial")
    for other in (".note.partial", ".a.12.partial", "a.1-2.partial"):
        (tmp_path / other).write_bytes(b"not ours")
    list(write_archive(target, MEMBERS))
    assert left(tmp_path) == [".a.12.partial", ".note.partial", "a.1-2.partial", "all.zip"]


@pytest.mark.parametrize("what", ["archive", "file"])
def test_what_a_running_process_writes_is_left_alone(tmp_path: Path, what: str) -> None:
    with writing(tmp_path / "all.zip", what):
        (partial,) = left(tmp_path)
        list(write_archive(tmp_path / "all.zip", MEMBERS))
        assert left(tmp_path) == sorted([partial, "all.zip"])


MEMBERS = [("a.json", b"x" * 10_000), ("b%20.json", b""), ("c.json", bytes(range(256)))]


def test_an_archive_holds_every_file_and_is_always_the_same(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip", "one.zip"):
        assert list(write_archive(tmp_path / name, MEMBERS, mode=0o600)) == [name for name, _ in MEMBERS]
    assert left(tmp_path) == ["one.zip", "two.zip"]
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert (tmp_path / "one.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert [(member.filename, archive.read(member)) for member in archive.infolist()] == MEMBERS
        assert {member.external_attr >> 16 for member in archive.infolist()} == {0o600}
        assert archive.infolist()[0].compress_size < 1_000


@pytest.mark.parametrize("error", [RuntimeError("bug"), OSError(28, "No space left on device")])
def test_an_archive_that_fails_leaves_the_old_one_alone(tmp_path: Path, error: Exception) -> None:
    target = tmp_path / "files.zip"
    write_file(target, b"old")

    def failing() -> Iterator[tuple[str, bytes]]:
        yield MEMBERS[0]
        raise error

    with pytest.raises(InputError if isinstance(error, OSError) else RuntimeError):
        list(write_archive(target, failing()))
    abandoned = write_archive(target, MEMBERS)
    next(abandoned)
    abandoned.close()
    assert target.read_bytes() == b"old"
    assert left(tmp_path) == ["files.zip"]
