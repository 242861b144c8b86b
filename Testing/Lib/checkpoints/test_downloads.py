"""Downloads that resume, stay on https, and take no more than the catalogue says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_checkpoint import save_tiny, tiny_config

from TextPromptSegLib.checkpoints import catalogue, layout, transfer
from TextPromptSegLib.inference import loaded_checkpoint
from TextPromptSegLib.outcome import Cancelled, CheckpointError

pytestmark = pytest.mark.usefixtures("home")


def names() -> dict[str, str]:
    return {row.name: row.state for row in catalogue.list_models()}


# -- download ------------------------------------------------------------------------------------


class Server:
    """Serves bytes on this machine, with ranges, and can break off or lie."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.requests = files, []  # type: ignore[var-annotated]
        self.break_after: int | None = None
        self.ranges, self.status, self.told = True, 200, True
        self.redirects: dict[str, str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.requests.append((handler.path, wanted))
        if handler.path in self.redirects:
            handler.send_response(302)
            handler.send_header("Location", self.redirects[handler.path])
            handler.end_headers()
            return
        if self.status != 200:
            handler.send_error(self.status)
            return
        body, start = self.files[handler.path[1:]], 0
        if wanted and self.ranges:
            start = int(wanted[6:-1])
            if start >= len(body):
                handler.send_error(416)
                return
        handler.send_response(206 if start else 200)
        if self.told:
            handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        part = body[start:]
        if self.break_after is not None and len(part) > self.break_after:
            part, self.break_after = part[: self.break_after], None
        handler.wfile.write(part)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = save_tiny(tmp_path / "remote", name="remote")
    files = {p.name: p.read_bytes() for p in folder.iterdir()}
    server = Server(files)
    entry = {
        **tiny_config(name="remote"),
        "files": [
            {
                "path": name,
                "url": server.url + name,
                "sha256": hashlib.sha256(body).hexdigest(),
                "bytes": len(body),
            }
            for name, body in sorted(files.items())
        ],
    }
    monkeypatch.setattr(catalogue, "_entries", lambda: {"remote": entry})
    monkeypatch.setattr(transfer, "_SCHEMES", ("https", "http"))  # for this machine's own server
    monkeypatch.setattr(transfer.time, "sleep", lambda seconds: None)
    yield server
    server.http.shutdown()
    server.http.server_close()


def test_download(server: Server, home: Path) -> None:
    row = catalogue.show("remote") if "remote" in names() else None
    assert row is not None and row.state == "downloadable" and row.folder is None
    with pytest.raises(CheckpointError, match="models download remote"):
        catalogue.find("remote")
    seen: list[tuple[int, int]] = []
    info = catalogue.download("remote", progress=lambda d, t, m: seen.append((d, t)) or True)
    assert info.state == "user" and catalogue.verify("remote")[0].ok
    total = sum(len(body) for body in server.files.values())
    assert (total, total) in seen and all(done <= total for done, _ in seen[:-1])
    assert not (home / "downloads" / "remote").exists()


def test_listing_and_loading_never_touch_the_network(server: Server) -> None:
    catalogue.list_models()
    catalogue.verify()
    with pytest.raises(CheckpointError):
        loaded_checkpoint.load("remote")
    assert server.requests == []


def test_broken_download_is_resumed(server: Server) -> None:
    server.break_after = 1000
    catalogue.download("remote")
    ranges = [wanted for path, wanted in server.requests if wanted]
    assert ranges and int(ranges[0][6:-1]) > 0
    assert catalogue.verify("remote")[0].ok


def test_cancelled_download_is_resumed_by_the_next_call(server: Server, home: Path) -> None:
    server.files["model.safetensors"] = server.files["model.safetensors"]
    count = []

    def stop(done: int, total: int, message: str) -> bool:
        count.append(message)
        return "model.safetensors" not in message

    with pytest.raises(Cancelled):
        catalogue.download("remote", progress=stop)
    part = home / "downloads" / "remote" / "model.safetensors.part"
    assert part.stat().st_size > 0 and "remote" not in {
        r.name for r in catalogue.list_models() if r.folder
    }
    catalogue.download("remote")
    assert catalogue.verify("remote")[0].ok
    # config.json and README.md were whole and are not fetched twice
    assert sum(path == "/README.md" for path, _ in server.requests) == 1


def test_server_without_ranges_starts_over(server: Server) -> None:
    server.break_after, server.ranges = 1000, False
    catalogue.download("remote")
    assert catalogue.verify("remote")[0].ok


def test_changed_file_is_refused(server: Server) -> None:
    server.files["model.safetensors"] = b"something else"
    with pytest.raises(CheckpointError, match="sha256 differs"):
        catalogue.download("remote")
    assert not [row for row in catalogue.list_models() if row.name == "remote" and row.folder]


@pytest.mark.parametrize("status", [404, 403, 500])
def test_refusals_of_the_server(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(CheckpointError, match=str(status)):
        catalogue.download("remote")


OTHERS = ("http://example.org/x", "file:///etc/passwd", "ftp://example.org/x", "http://localhost/x")


def test_only_https(tmp_path: Path) -> None:
    for url in OTHERS:
        with pytest.raises(CheckpointError, match="only downloaded over https"):
            transfer.fetch(url, tmp_path / "x", "0" * 64, 10)


def test_no_redirect_leaves_https(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, url in enumerate(OTHERS[1:3]):
        server.redirects[f"/r{number}"] = url
        with pytest.raises(CheckpointError, match="only downloaded over https|not allowed"):
            transfer.fetch(f"{server.url}r{number}", tmp_path / "x", "0" * 64, 10)
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_SCHEMES", ("https",))
        request = urllib.request.Request("https://example.org")
        with pytest.raises(CheckpointError, match="only downloaded over https"):
            transfer._SafeRedirects().redirect_request(request, None, 302, "", {}, OTHERS[0])
    server.files["good"] = b"good"
    server.redirects["/r"] = server.url + "good"
    transfer.fetch(server.url + "r", tmp_path / "x", hashlib.sha256(b"good").hexdigest(), 4)
    assert (tmp_path / "x").read_bytes() == b"good"


@pytest.mark.parametrize("told", [True, False])
def test_no_more_is_taken_than_the_catalogue_says(server: Server, home: Path, told: bool) -> None:
    server.files["model.safetensors"] += bytes(1 << 20)
    server.told = told
    with pytest.raises(CheckpointError, match="longer than the"):
        catalogue.download("remote")
    left = home / "downloads" / "remote"
    assert not [path for path in left.iterdir() if "safetensors" in path.name]


def test_a_catalogue_without_sizes_is_refused(server: Server) -> None:
    entry = catalogue._entries()["remote"]
    del entry["files"][0]["bytes"]
    with pytest.raises(CheckpointError, match="no size"):
        catalogue.download("remote")
    assert server.requests == []


def test_what_is_installed_is_not_fetched_again(server: Server, home: Path) -> None:
    catalogue.download("remote")
    asked = len(server.requests)
    assert catalogue.download("remote").state == "user" and len(server.requests) == asked
    weights = home / "checkpoints" / "remote" / layout.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1])
    assert catalogue.download("remote").state == "user" and len(server.requests) > asked
    assert catalogue.verify("remote")[0].ok, "a damaged one is fetched again"


def test_the_staging_folder_of_a_killed_import_is_swept(tmp_path: Path, home: Path) -> None:
    code = "from TextPromptSegLib.files.leftovers import owned_prefix as p; print(p('.import-'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    dead = home / "checkpoints" / f"{done.stdout.strip()}x"
    dead.mkdir(parents=True)
    (dead / "half.safetensors").write_bytes(bytes(100))
    catalogue.import_path(save_tiny(tmp_path / "net", name="net"))
    assert [path.name for path in (home / "checkpoints").iterdir()] == ["net"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("modalities", 5), ("modalities", [{}]), ("planes", None), ("trained_prompts", []),
        ("takes", "box"), ("name", ["x"]), ("name", None), ("system", {}), ("title", [1]),
        ("memory_mb", "much"), ("input", {"size": "wide"}), ("config", {"channels": 3}),
        ("config", {"patch": 0, "heads": 1}), ("licence", {"spdx": [1]}), ("format", [1]),
        ("weights_sha256", 7),
    ],
)  # fmt: skip
def test_one_bad_folder_costs_one_line(home: Path, key: str, value: Any) -> None:
    folder = save_tiny(home / "checkpoints" / "odd", name="odd")
    path = folder / layout.CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    save_tiny(home / "checkpoints" / "good", name="good")
    rows = {row.name: row for row in catalogue.list_models()}
    assert set(rows) == {"shipped-net", "odd", "good"} and not rows["good"].problem
    for content in ("[" * 100_000, "5", "null", "{"):
        path.write_text(content)
        rows = {row.name: row for row in catalogue.list_models()}
        assert rows["odd"].problem and not rows["good"].problem


def test_no_connection_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(transfer, "_SCHEMES", ("http",))
    server = Server({})
    server.http.server_close()
    with pytest.raises(CheckpointError, match="start it again"):
        transfer.fetch(server.url + "x", tmp_path / "x", "0" * 64, 10)


def test_what_there_is_not(server: Server) -> None:
    with pytest.raises(CheckpointError, match="ships with the extension"):
        catalogue.download("shipped-net")
    with pytest.raises(CheckpointError, match="not in the catalogue"):
        catalogue.download("nothing")


def test_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked: dict[str, Any] = {}

    def snapshot_download(**options: Any) -> None:
        asked.update(options)
        save_tiny(Path(options["local_dir"]), name="a-net")

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(transfer, "sizes_on_hub", lambda repo, revision: {"config.json": 9})
    info = catalogue.download("someone/a-net@v2")
    assert asked["repo_id"] == "someone/a-net" and asked["revision"] == "v2"
    assert info.name == "someone--a-net" and catalogue.find("someone/a-net") == info.folder

    def fails(**options: Any) -> None:
        raise OSError("no route to host\nmore lines")

    monkeypatch.setattr(hub, "snapshot_download", fails)
    with pytest.raises(CheckpointError, match="no route to host$"):
        catalogue.download("someone/b-net")


def test_a_repository_far_larger_than_the_catalogue_says_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub, "snapshot_download", lambda **options: pytest.fail("fetched"))
    sizes = {"model.safetensors": 5 << 30, "other.bin": 99 << 30}
    monkeypatch.setattr(transfer, "sizes_on_hub", lambda repo, revision: sizes)
    with pytest.raises(CheckpointError, match=r"5\.4 GB, at most 4\.4 GB"):
        transfer.fetch_hub("a/b", None, tmp_path, None, ["*.safetensors"], 1 << 30)
    sizes["model.safetensors"] = 15 << 30
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda place: SimpleNamespace(free=10 << 30))
    with pytest.raises(CheckpointError, match="make room"):
        transfer.fetch_hub("a/b", None, tmp_path / "new", None, ["*.safetensors"])
