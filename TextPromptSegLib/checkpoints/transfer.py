"""Downloads, only when somebody asked for one: resumed where they broke off, checked by sha256."""

from __future__ import annotations

import contextlib
import fnmatch
import logging
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..outcome import Cancelled, CheckpointError, DependencyError, Progress
from . import layout

logger = logging.getLogger(__name__)

_ATTEMPTS = 4
_TIMEOUT_S = 30.0
_BLOCK = 1 << 18
_SCHEMES = ("https",)
_MOST_FROM_HUB = 16 << 30  # bytes of a repository of which nothing is known
_SLACK = 64 << 20  # bytes; weights may lie there in two forms and with their optimizer


def fetch_files(entry: Mapping[str, Any], folder: Path, progress: Progress | None = None) -> None:
    """Fetch the files of one catalogue entry into ``folder``.

    Args:
        entry: with ``name`` and ``files``, each ``path``, ``url``, ``sha256`` and ``bytes``, more
            than which are not taken.
        folder: where finished files and ``.part`` files go.
        progress: called with bytes done and total.

    Raises:
        CheckpointError: no connection, no room, or a wrong checksum.
        Cancelled: when ``progress`` returns False.
    """
    files = entry["files"]
    if any(int(file.get("bytes", 0)) <= 0 for file in files):
        raise CheckpointError(f"The catalogue names no size for '{entry['name']}'; report this.")
    total = sum(int(file["bytes"]) for file in files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise CheckpointError(
            f"'{folder}' cannot be written: {error.strerror or error}."
        ) from error
    if total > free:
        raise CheckpointError(
            f"The download needs {total / 1e6:,.0f} MB and '{folder}' has {free / 1e6:,.0f} MB."
        )
    before = 0
    for file in files:
        name = Path(str(file["path"])).name

        def report(done: int, start: int = before, name: str = name) -> None:
            if progress is not None and not progress(start + done, total, f"downloading {name}"):
                raise Cancelled(f"downloading {name}")

        size = int(file["bytes"])
        fetch(str(file["url"]), folder / name, str(file["sha256"]), size, report)
        before += size


def fetch(url: str, target: Path, sha256: str, size: int, report: Any = lambda done: None) -> None:
    """Fetch one file; a ``.part`` file beside it is continued.

    Args:
        url: where from; https, and so is every address that it is redirected to.
        target: where to.
        sha256: what the file must have.
        size: bytes of the file; more are not taken.
        report: called with the bytes so far.

    Raises:
        CheckpointError: for an unsafe address, no connection, too many bytes, a wrong checksum.
    """
    parts = urlsplit(url)
    _check_scheme(url)
    if target.is_file() and layout.sha256_of(target) == sha256.lower():
        report(target.stat().st_size)
        return
    part = target.with_name(target.name + ".part")
    for attempt in range(_ATTEMPTS):
        try:
            _continue(url, part, size, report)
            break
        except urllib.error.HTTPError as error:
            if error.code == 416:  # nothing left, or the part is longer than the file
                break
            if error.code < 500 or attempt == _ATTEMPTS - 1:
                raise CheckpointError(
                    f"'{parts.hostname}' answered {error.code} {error.reason}; try again later."
                ) from error
        except (OSError, ValueError) as error:
            if attempt == _ATTEMPTS - 1:
                reason = getattr(error, "reason", None) or error
                raise CheckpointError(
                    f"The download from '{parts.hostname}' broke off ({reason}); "
                    "start it again to go on where it stopped."
                ) from error
        logger.info("Download of %s broke off, trying again.", target.name)
        time.sleep(0.5 * 2**attempt)
    if layout.sha256_of(part) != sha256.lower():
        part.unlink(missing_ok=True)
        raise CheckpointError(
            f"'{target.name}' arrived damaged or was changed (sha256 differs); try again."
        )
    part.replace(target)


def _check_scheme(url: str) -> None:
    if urlsplit(url).scheme not in _SCHEMES:
        raise CheckpointError(f"Checkpoints are only downloaded over https, not from '{url}'.")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Refuse an address that anybody on the way could answer for."""
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _continue(url: str, part: Path, size: int, report: Any) -> None:
    """Append to the part file what it lacks; start over where the server cannot continue."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "TextPromptSeg"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(_SafeRedirects())
    with opener.open(request, timeout=_TIMEOUT_S) as answer:
        resumed = answer.status == 206
        have = have if resumed else 0
        length = answer.headers.get("Content-Length")
        expected = have + int(length) if length else None
        if (expected or 0) > size:
            raise _too_long(part, size)
        with part.open("ab" if resumed else "wb") as stream:
            while block := answer.read(_BLOCK):
                have += len(block)
                if have > size:
                    raise _too_long(part, size)
                stream.write(block)
                report(have)
    if expected is not None and have < expected:
        raise OSError("the connection closed early")


def _too_long(part: Path, size: int) -> CheckpointError:
    part.unlink(missing_ok=True)
    name = part.name.removesuffix(".part")
    return CheckpointError(
        f"'{name}' is longer than the {size:,} bytes of the catalogue; it was not taken."
    )


_OF_A_CHECKPOINT = (layout.CONFIG, layout.WEIGHTS, layout.CARD, layout.PLOT, "LICENSE*")


def fetch_hub(
    repo: str,
    revision: str | None,
    folder: Path,
    progress: Progress | None = None,
    files: Sequence[str] = _OF_A_CHECKPOINT,
    expected: int = 0,
) -> None:
    """Fetch files from the model hub into ``folder``; their sizes are asked for first.

    Args:
        repo: ``owner/name``.
        revision: branch, tag or commit; None takes the newest.
        folder: where to; what is there is continued.
        progress: called before and after.
        files: their names, with ``*`` for any letters.
        expected: bytes by the catalogue, 0 where nobody knows.

    Raises:
        DependencyError: when huggingface_hub is not installed.
        CheckpointError: no connection, no such repository, no room, or far more than expected.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise DependencyError(
            "Downloading from the hub needs the Python package huggingface_hub; install it first."
        ) from error
    if progress is not None and not progress(0, 1, f"downloading {repo}"):
        raise Cancelled(f"downloading {repo}")
    try:
        sizes = sizes_on_hub(repo, revision)
        _check_sizes(repo, sizes, files, folder, expected)
        snapshot_download(
            repo_id=repo,
            revision=revision,
            local_dir=str(folder),
            allow_patterns=list(files),
        )
    except CheckpointError:
        raise
    except Exception as error:  # the hub's errors come from several libraries
        if _asks_who_you_are(error):
            raise CheckpointError(
                f"'{repo}' is given to people with an account only: log in at the hub, accept the "
                f"terms on the page of {repo}, make an access token that may read, save it with "
                "'hf auth login' (or set the variable HF_TOKEN), and download again."
            ) from error
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"'{repo}' could not be downloaded: {first}") from error
    with contextlib.suppress(OSError):
        shutil.rmtree(folder / ".cache")
    if progress is not None:
        progress(1, 1, f"downloaded {repo}")


def sizes_on_hub(repo: str, revision: str | None) -> dict[str, int]:
    """Return the bytes of each file of a repository, as the hub tells."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(repo, revision=revision, files_metadata=True)
    return {file.rfilename: file.size or 0 for file in info.siblings or ()}


def _check_sizes(
    repo: str, sizes: Mapping[str, int], files: Sequence[str], folder: Path, expected: int
) -> None:
    wanted = sum(
        size
        for name, size in sizes.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in files)
    )
    most = 4 * expected + _SLACK if expected else _MOST_FROM_HUB
    if wanted > most:
        raise CheckpointError(
            f"'{repo}' has grown to {wanted / 1e9:.1f} GB, at most {most / 1e9:.1f} GB are taken; "
            "fetch it yourself if you trust it, and use 'textpromptseg models import'."
        )
    above = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(above).free
    if wanted > free:
        raise CheckpointError(
            f"'{repo}' needs {wanted / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; make room."
        )


def _asks_who_you_are(error: Exception) -> bool:
    """Whether the hub wants a token, or terms that were not accepted yet."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return type(error).__name__ == "GatedRepoError" or status in (401, 403)
