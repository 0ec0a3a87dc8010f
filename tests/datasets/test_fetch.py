"""Downloads against a local server that cuts, lies, moves and hangs up."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurokit.catalog.cards import card
from neurokit.datasets import archive, transfer
from neurokit.datasets.archive import unpack
from neurokit.datasets.cache import Cache, cache_folder, sha256_of
from neurokit.datasets.fetch import fetch, is_cached
from neurokit.errors import DataError, DownloadError, ReadError, UnknownNameError

BODY = bytes(range(256)) * 4096
SHA = hashlib.sha256(BODY).hexdigest()


class Server:
    """Serves `files`; the behaviour of each is what its options say."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, dict]] = {}
        self.hits: Counter[str] = Counter()
        self.ranges: list[str | None] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{name}"

    def serve(self, name: str, body: bytes = BODY, **options: object) -> str:
        self.files[name] = (body, options)
        return self.url(name)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.lstrip("/").split("?")[0]
        self.hits[name] += 1
        self.ranges.append(request.headers.get("Range"))
        if name not in self.files:
            request.send_error(404)
            return
        body, options = self.files[name]
        if self.hits[name] <= options.get("failures", 0):
            request.send_error(options.get("status", 503))
            return
        start = self.start(request, options)
        if start >= len(body) > 0:
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(body)}")
            request.end_headers()
            return
        if options.get("redirect"):
            request.send_response(302)
            request.send_header("Location", options["redirect"])
            request.end_headers()
            return
        request.send_response(206 if start else 200)
        for key, value in options.get("headers", {}).items():
            request.send_header(key, value)
        if start:
            shifted = start + options.get("shift", 0)
            request.send_header("Content-Range", f"bytes {shifted}-{len(body) - 1}/{len(body)}")
        if options.get("length", True):
            request.send_header("Content-Length", str(len(body) - start))
        if options.get("etag"):
            request.send_header("ETag", options["etag"])
        request.send_header("Content-Type", options.get("type", "application/octet-stream"))
        request.end_headers()
        cut = self.hits[name] <= options.get("cuts", 0)
        end = start + options["step"] if "step" in options else len(body) // 2
        request.wfile.write(body[start : end if cut else None])
        request.wfile.flush()
        if cut and options.get("hang"):
            self.released.wait(60)

    @staticmethod
    def start(request: BaseHTTPRequestHandler, options: dict) -> int:
        wanted = request.headers.get("Range")
        if wanted is None or not options.get("ranges", True):
            return 0
        if request.headers.get("If-Range") not in {None, options.get("etag")}:
            return 0
        return int(wanted.removeprefix("bytes=").split("-")[0])

    def close(self) -> None:
        self.released.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    yield served
    served.close()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab's own catalogue and an empty cache; no waiting between retries."""
    (tmp_path / "lab" / "datasets").mkdir(parents=True)
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path / "lab"))
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(transfer, "BACKOFF", 0.0)
    return tmp_path


def make_card(lab: Path, *files: dict, name: str = "toy", **fields: object) -> None:
    known = {
        "name": name,
        "title": "A toy",
        "modality": ["eeg"],
        "description": "For tests.",
        "citation": "Nobody (2020).",
        "url": "https://example.org",
        "licence": "CC0-1.0",
        "access": "open",
        "layout": "text",
    } | fields
    lines = [f"{key} = {json.dumps(value)}" for key, value in known.items()]
    for file in files:
        lines += ["[[files]]", *(f"{key} = {json.dumps(value)}" for key, value in file.items())]
    path = lab / "lab" / "datasets" / f"{name}.toml"
    path.write_text("\n".join(lines), encoding="utf-8")


def left_in(lab: Path) -> list[str]:
    """All files in the cache, without the locks."""
    root = lab / "cache"
    found = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return sorted(name for name in found if not name.startswith(".locks"))


def test_verified_file_moves_into_the_cache_and_is_fetched_once(server: Server, lab: Path) -> None:
    url = server.serve("a.bin")
    make_card(lab, {"url": url, "sha256": SHA, "size": len(BODY)})
    assert not is_cached(card("toy"))
    path = fetch("toy")
    assert path == lab / "cache" / "toy" / "a.bin"
    assert path.read_bytes() == BODY
    assert fetch("toy") == path
    assert server.hits["a.bin"] == 1
    assert is_cached(card("toy"))
    assert left_in(lab) == [".pins/toy.json", "toy/a.bin"]


def test_several_files_give_the_folder(server: Server, lab: Path) -> None:
    files = [
        {"url": server.serve("a.bin"), "sha256": SHA},
        {"url": server.serve("b.bin", b"b"), "sha256": "unverified", "name": "sub-01/b"},
    ]
    make_card(lab, *files)
    folder = fetch("toy")
    assert folder == lab / "cache" / "toy"
    assert (folder / "sub-01" / "b").read_bytes() == b"b"


def test_checksum_mismatch_keeps_the_file_aside_and_the_cache_clean(
    server: Server, lab: Path
) -> None:
    make_card(lab, {"url": server.serve("a.bin", b"other"), "sha256": SHA})
    with pytest.raises(DownloadError, match=f"expected sha256 {SHA}; got .* kept as"):
        fetch("toy")
    assert left_in(lab) == [".downloads/toy/a.bin.rejected"]
    assert not (lab / "cache" / "toy").exists()


def test_unverified_is_pinned_and_a_later_change_is_an_error(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin"), "sha256": "unverified"})
    path = fetch("toy")
    pins = json.loads((lab / "cache" / ".pins" / "toy.json").read_text())
    assert pins["a.bin"]["sha256"] == SHA
    path.unlink()
    server.serve("a.bin", b"the source changed")
    with pytest.raises(DownloadError, match=r"as on the first fetch.*delete .*toy\.json"):
        fetch("toy")
    assert not path.exists()


def test_file_changed_in_the_cache_is_noticed(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA})
    path = fetch("toy")
    path.write_bytes(b"damaged")
    with pytest.raises(DownloadError, match=r"moved to .*rejected; fetch again"):
        fetch("toy")
    assert fetch("toy").read_bytes() == BODY


@pytest.mark.parametrize("known", [True, False])
def test_cut_download_resumes_where_it_stopped(server: Server, lab: Path, known: bool) -> None:
    url = server.serve("a.bin", cuts=1, etag='"v1"')
    make_card(lab, {"url": url, "sha256": SHA if known else "unverified"})
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges == [None, f"bytes={len(BODY) // 2}-"]


def test_a_line_that_keeps_dropping_brings_the_file_piece_by_piece(
    server: Server, lab: Path
) -> None:
    make_card(lab, {"url": server.serve("a.bin", cuts=30, step=1000), "sha256": SHA})
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges == [None, *(f"bytes={n}000-" for n in range(1, 31))]


def test_a_line_that_drops_at_the_same_byte_is_given_up(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin", cuts=99, ranges=False), "sha256": SHA})
    with pytest.raises(DownloadError, match="cut at"):
        fetch("toy")
    assert server.hits["a.bin"] == transfer.ATTEMPTS


@pytest.mark.parametrize("size", [{}, {"size": len(BODY)}])
def test_complete_but_unverified_part_is_not_fetched_again(
    server: Server, lab: Path, size: dict
) -> None:
    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA} | size)
    part = lab / "cache" / ".downloads" / "toy" / "a.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY)
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges == ([] if size else [f"bytes={len(BODY)}-"])


def test_resume_survives_the_process(server: Server, lab: Path, monkeypatch) -> None:
    monkeypatch.setattr(transfer, "ATTEMPTS", 1)
    make_card(lab, {"url": server.serve("a.bin", cuts=1, etag='"v1"'), "sha256": "unverified"})
    with pytest.raises(DownloadError, match=f"cut at {len(BODY) // 2} of {len(BODY)} bytes"):
        fetch("toy")
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges[-1] == f"bytes={len(BODY) // 2}-"
    assert left_in(lab) == [".pins/toy.json", "toy/a.bin"]


def test_server_that_ignores_ranges_restarts(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin", cuts=1, ranges=False), "sha256": SHA})
    assert fetch("toy").read_bytes() == BODY
    assert server.hits["a.bin"] == 2


def test_nothing_is_spliced_without_a_way_to_notice(server: Server, lab: Path) -> None:
    """Neither a checksum nor a version of the file: the second half may be another file's."""
    make_card(lab, {"url": server.serve("a.bin", cuts=1), "sha256": "unverified"})
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges == [None, None]


def test_file_replaced_between_the_halves_is_fetched_anew(
    server: Server, lab: Path, monkeypatch
) -> None:
    monkeypatch.setattr(transfer, "ATTEMPTS", 1)
    make_card(lab, {"url": server.serve("a.bin", cuts=1, etag='"v1"'), "sha256": "unverified"})
    with pytest.raises(DownloadError, match="cut at"):
        fetch("toy")
    server.serve("a.bin", BODY[::-1], etag='"v2"')
    assert fetch("toy").read_bytes() == BODY[::-1]


def test_wrong_splice_is_fetched_once_more_from_the_start(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA})
    part = lab / "cache" / ".downloads" / "toy" / "a.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"something else")
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges == ["bytes=14-", None]


def test_answer_that_starts_elsewhere_is_not_spliced(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin", cuts=1, shift=-5), "sha256": SHA})
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges[-1] is None


def test_busy_server_is_asked_again(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin", failures=2), "sha256": SHA})
    fetch("toy")
    assert server.hits["a.bin"] == 3


def test_waiting_doubles_between_retries(server: Server, lab: Path, monkeypatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(transfer, "BACKOFF", 1.0)
    monkeypatch.setattr(transfer.time, "sleep", waits.append)
    make_card(lab, {"url": server.serve("a.bin", failures=9), "sha256": SHA})
    with pytest.raises(DownloadError, match="HTTP 503"):
        fetch("toy")
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_mirror_after_a_missing_file(server: Server, lab: Path) -> None:
    mirrors = [server.serve("bad.bin", b"not it"), server.serve("good.bin")]
    file = {"url": server.url("gone.bin"), "mirrors": mirrors, "sha256": SHA, "name": "a.bin"}
    make_card(lab, file)
    assert fetch("toy").read_bytes() == BODY
    assert server.hits == {"gone.bin": 1, "bad.bin": 1, "good.bin": 1}


HTML = b"  \n<!DOCTYPE html>\n<html><body>Please log in</body></html>"


@pytest.mark.parametrize(
    ("promise", "message"),
    [
        ({"sha256": SHA}, "expected sha256"),
        ({"sha256": "unverified"}, "answered with an HTML page"),
        ({"sha256": "unverified", "size": 7}, "expected 7 bytes; the server offers 58"),
    ],
)
def test_html_page_of_status_200_is_refused(
    server: Server, lab: Path, promise: dict, message: str
) -> None:
    make_card(lab, {"url": server.serve("a.bin", HTML, type="text/html")} | promise)
    with pytest.raises(DownloadError, match=message):
        fetch("toy")
    assert not (lab / "cache" / "toy").exists()
    assert server.hits["a.bin"] == 1


def test_empty_answer_is_not_pinned(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin", b""), "sha256": "unverified"})
    with pytest.raises(DownloadError, match=r"a\.bin: an empty answer"):
        fetch("toy")
    assert not (lab / "cache" / ".pins").exists()


def test_more_bytes_than_the_card_says_stop_the_download(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin", length=False), "sha256": SHA, "size": 1000})
    with pytest.raises(DownloadError, match="more than 1000 bytes came"):
        fetch("toy")


def test_offline_says_what_to_do_by_hand(lab: Path) -> None:
    make_card(lab, {"url": "http://127.0.0.1:9/a.bin", "sha256": SHA})
    with pytest.raises(DownloadError, match="no connection") as error:
        fetch("toy")
    for wanted in ("http://127.0.0.1:9/a.bin", str(lab / "cache" / "toy" / "a.bin"), SHA):
        assert wanted in str(error.value)
    placed = lab / "cache" / "toy" / "a.bin"
    placed.parent.mkdir(parents=True)
    placed.write_bytes(BODY)
    assert fetch("toy") == placed


def test_without_a_network_the_error_comes_at_once(lab: Path, monkeypatch) -> None:
    monkeypatch.setattr(transfer.time, "sleep", lambda _: pytest.fail("it waited"))
    make_card(lab, {"url": "https://neurokit.invalid/a.bin", "sha256": SHA})
    with pytest.raises(DownloadError, match=r"neurokit\.invalid/a\.bin: no connection"):
        fetch("toy")


RACER = """
from neurokit.datasets.fetch import fetch
print(fetch("toy"))
"""


def test_two_processes_download_once(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin", BODY * 20), "sha256": "unverified"})
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = {racer.communicate(timeout=120)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0]
    assert answers == {str(lab / "cache" / "toy" / "a.bin")}
    assert server.hits["a.bin"] == 1


def test_kill_during_the_download_leaves_nothing_half(server: Server, lab: Path) -> None:
    url = server.serve("a.bin", cuts=1, hang=True, etag='"v1"')
    make_card(lab, {"url": url, "sha256": "unverified"})
    victim = subprocess.Popen([sys.executable, "-c", RACER])
    part = lab / "cache" / ".downloads" / "toy" / "a.bin.part"
    enough = 2 * 2**18
    for _ in range(600):
        if part.exists() and part.stat().st_size >= min(enough, len(BODY) // 2 - 2**18):
            break
        server.released.wait(0.05)
    victim.kill()
    victim.wait()
    assert not (lab / "cache" / "toy" / "a.bin").exists()
    kept = part.stat().st_size
    assert kept > 0
    assert fetch("toy").read_bytes() == BODY
    assert server.ranges == [None, f"bytes={kept}-"]


def test_redirect_is_followed_but_not_off_the_web(server: Server, lab: Path) -> None:
    target = server.serve("real.bin")
    make_card(lab, {"url": server.serve("a.bin", redirect=target), "sha256": SHA})
    assert fetch("toy").read_bytes() == BODY
    make_card(
        lab, {"url": server.serve("b.bin", redirect="file:///etc/passwd"), "sha256": SHA}, name="b"
    )
    with pytest.raises(DownloadError, match="No connection adapters"):
        fetch("b")


def test_archive_called_encoded_by_its_server_is_kept_as_stored(server: Server, lab: Path) -> None:
    packed = tarred([(entry("a.txt"), b"a")])
    url = server.serve("a.tar.gz", packed, headers={"Content-Encoding": "x-gzip"})
    make_card(lab, {"url": url, "sha256": hashlib.sha256(packed).hexdigest()})
    assert fetch("toy").read_bytes() == packed


def test_several_failures_are_all_told(server: Server, lab: Path) -> None:
    file = {"url": server.url("gone.bin"), "mirrors": [server.serve("b.bin", b"x")], "sha256": SHA}
    make_card(lab, file)
    with pytest.raises(DownloadError, match=r"gone\.bin: HTTP 404.*; .*b\.bin: expected sha256"):
        fetch("toy")


def test_card_that_learned_its_checksum_is_compared_with_the_cache(
    server: Server, lab: Path
) -> None:
    url = server.serve("a.bin")
    make_card(lab, {"url": url, "sha256": "unverified"})
    fetch("toy")
    make_card(lab, {"url": url, "sha256": SHA})
    assert is_cached(card("toy"))
    make_card(lab, {"url": url, "sha256": "0" * 64})
    assert not is_cached(card("toy"))
    with pytest.raises(DownloadError, match="expected sha256 0000"):
        fetch("toy")


def test_progress_is_shown_where_asked(server: Server, lab: Path, capfd) -> None:
    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA})
    fetch("toy", progress=True)
    assert "a.bin" in capfd.readouterr().err


def test_full_disk_leaves_the_cache_clean(server: Server, lab: Path, monkeypatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA})
    with monkeypatch.context() as broken:
        broken.setattr(transfer, "_write", full)
        with pytest.raises(DownloadError, match=r"disk filled up.*NEUROKIT_DATA"):
            fetch("toy")
    assert left_in(lab) == []
    assert fetch("toy").read_bytes() == BODY


def test_too_large_for_the_disk_is_said_before_the_download(
    server: Server, lab: Path, monkeypatch
) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("neurokit.datasets.cache.shutil.disk_usage", lambda _: usage)
    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA})
    with pytest.raises(DownloadError, match=r"needs 0\.00 GB more.*Make room"):
        fetch("toy")


def test_cache_that_is_a_file(server: Server, lab: Path) -> None:
    (lab / "cache").write_text("")
    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA})
    with pytest.raises(DownloadError, match="Cannot write to the cache"):
        fetch("toy")


def test_damaged_record_of_checksums(server: Server, lab: Path) -> None:
    make_card(lab, {"url": server.serve("a.bin"), "sha256": SHA})
    fetch("toy")
    (lab / "cache" / ".pins" / "toy.json").write_text("{")
    assert not is_cached(card("toy"))
    with pytest.raises(DownloadError, match=r"cannot be read .* Delete it"):
        fetch("toy")


def test_form_card_says_how_and_takes_the_placed_folder(lab: Path) -> None:
    make_card(lab, access="form", obtain="Sign the form at the desk.")
    with pytest.raises(DownloadError, match=r"after a form is signed.*Sign the form.*cache/toy"):
        fetch("toy")
    (lab / "cache" / "toy").mkdir(parents=True)
    with pytest.raises(DownloadError, match="after a form is signed"):
        fetch("toy")
    (lab / "cache" / "toy" / "sub-01.edf").write_bytes(b"x")
    assert fetch("toy") == lab / "cache" / "toy"


def test_path_card_uses_the_folder_of_a_lab(lab: Path, monkeypatch) -> None:
    server_folder = lab / "server" / "eeg"
    make_card(lab, path="$LAB_SERVER/eeg")
    with pytest.raises(DataError, match=r"uses \$LAB_SERVER, which is not set"):
        fetch("toy")
    monkeypatch.setenv("LAB_SERVER", str(lab / "server"))
    with pytest.raises(DownloadError, match=r"its path .* does not exist"):
        fetch("toy")
    server_folder.mkdir(parents=True)
    assert fetch("toy") == server_folder
    make_card(lab, path="../../server/eeg", name="relative")
    assert fetch("relative") == server_folder


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'sleepedf'\. Did you mean 'sleep-edf'"):
        fetch("sleepedf")


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("NEUROKIT_DATA")
    assert cache_folder().name == "neurokit"


# Archives


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return stream.getvalue()


def tarred(members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as packed:
        for info, content in members:
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_archives_merge_into_one_folder(server: Server, lab: Path) -> None:
    one = server.serve("one.zip", zipped({"study/sub-01/a.txt": b"1", "study/x.txt": b"x"}))
    two = server.serve("two.tar.gz", tarred([(entry("study/sub-02/a.txt"), b"2")]))
    make_card(lab, *({"url": u, "sha256": "unverified", "unpack": True} for u in (one, two)))
    folder = fetch("toy")
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert found == ["study/sub-01/a.txt", "study/sub-02/a.txt", "study/x.txt"]
    assert fetch("toy") == folder
    assert server.hits == {"one.zip": 1, "two.tar.gz": 1}
    assert [name for name in left_in(lab) if "download" in name] == []


def test_hostile_archive_is_refused_and_kept_aside(server: Server, lab: Path) -> None:
    url = server.serve("a.zip", zipped({"fine.txt": b"", "../evil.txt": b"x"}))
    make_card(lab, {"url": url, "sha256": "unverified", "unpack": True})
    with pytest.raises(ReadError, match=r"member '\.\./evil\.txt' would leave the folder"):
        fetch("toy")
    assert left_in(lab) == [".downloads/toy/a.zip.rejected"]


def test_full_disk_while_unpacking_keeps_the_archive(
    server: Server, lab: Path, monkeypatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    url = server.serve("a.zip", zipped({"a.txt": b"a"}))
    make_card(lab, {"url": url, "sha256": "unverified", "unpack": True})
    with monkeypatch.context() as broken:
        broken.setattr(zipfile.ZipFile, "extractall", full)
        with pytest.raises(DownloadError, match=r"could not be unpacked.*No space left"):
            fetch("toy")
    assert not (lab / "cache" / "toy").exists()
    assert (fetch("toy") / "a.txt").read_bytes() == b"a"
    assert server.hits["a.zip"] == 1


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "C:/x", "..\\x"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_paths_that_leave_the_folder(tmp_path: Path, name: str, kind: str) -> None:
    content = zipped({name: b"x"}) if kind == "zip" else tarred([(entry(name), b"x")])
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ReadError, match="would leave the folder"):
        unpack(tmp_path / "a", tmp_path / "deep" / "out")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "deep", "out"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([entry("l", tarfile.SYMTYPE, "../x")], "outside the folder"),
        ([entry("l", tarfile.SYMTYPE, "/etc/passwd")], "outside the folder"),
        ([entry("d/l", tarfile.SYMTYPE, "../../x")], "outside the folder"),
        ([entry("l", tarfile.LNKTYPE, "../x")], "outside the folder"),
        ([entry("d/a", tarfile.SYMTYPE, ".."), entry("d/a/x")], "goes through the link 'd/a'"),
        (
            [entry("d/e/a", tarfile.SYMTYPE, "../.."), entry("d/e/b", tarfile.SYMTYPE, "a/..")],
            "goes through the link 'd/e/a'",
        ),
        ([entry("pipe", tarfile.FIFOTYPE)], "is a device"),
    ],
)
def test_tar_links_that_lead_out(tmp_path: Path, members: list, message: str) -> None:
    (tmp_path / "a.tar").write_bytes(tarred([(m, b"") for m in members]))
    with pytest.raises(ReadError, match=message):
        unpack(tmp_path / "a.tar", tmp_path / "out")


def test_tar_links_inside_are_kept(tmp_path: Path) -> None:
    members = [
        (entry("d/real.txt"), b"r"),
        (entry("e/l.txt", tarfile.SYMTYPE, "../d/real.txt"), b""),
    ]
    (tmp_path / "a.tar").write_bytes(tarred(members, "w:xz"))
    assert unpack(tmp_path / "a.tar", tmp_path / "out") == ["d", "e"]
    assert (tmp_path / "out" / "e" / "l.txt").read_bytes() == b"r"


def test_zip_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(ReadError, match="'link' is a link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_bombs_are_refused_by_their_declared_size(tmp_path: Path, kind: str, monkeypatch) -> None:
    monkeypatch.setattr(archive, "MAX_SMALL", 1 << 16)
    zeros = bytes(1 << 22)
    content = zipped({"z": zeros}) if kind == "zip" else tarred([(entry("z"), zeros)])
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ReadError, match="declare more than 4194304 bytes"):
        unpack(tmp_path / "a", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_too_many_members(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    (tmp_path / "a.zip").write_bytes(zipped({str(i): b"" for i in range(5)}))
    with pytest.raises(ReadError, match="more than 4 members"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_not_an_archive(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"plain text")
    with pytest.raises(ReadError, match="expected a zip or tar archive; it is neither"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


SEEDS = [
    zipped({"a/b.txt": b"hello" * 50, "c.txt": b"x"}),
    tarred([(entry("a/b.txt"), b"hello" * 50)]),
    tarred([(entry("a/b.txt"), b"hello" * 50), (entry("l", tarfile.SYMTYPE, "a"), b"")], "w:"),
]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    keep=st.integers(10, 100),
)
def test_damaged_archives_raise_our_error_or_stay_inside(
    seed: bytes, edits: list, keep: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("fuzz")
    damaged = bytearray(seed[: len(seed) * keep // 100])
    for at, value in edits:
        damaged[at % len(damaged)] = value
    (place / "a").write_bytes(damaged)
    with contextlib.suppress(ReadError):
        unpack(place / "a", place / "out")
    assert sorted(p.name for p in place.iterdir()) == ["a", "out"]


def test_rejected_files_do_not_count_as_data(tmp_path: Path) -> None:
    cache = Cache(tmp_path, "toy")
    cache.make()
    (cache.folder / "a").write_bytes(BODY)
    aside = cache.reject(cache.folder / "a", "a")
    cache.tidy()
    assert sha256_of(aside) == SHA
    assert not cache.folder.exists()
