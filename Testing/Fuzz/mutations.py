"""Hypothesis strategies that damage whole inputs: bytes, headers of text, JSON trees, sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

TOKENS = [
    b"\0", b"\xff" * 4, b"-1", b"0", b"1e400", b"nan", b"-inf", b"99999999999999999999", b"%n%s%s",
    b"../..", b"-", b"\n", b"\n\n", b" ", b"1,5", b"\xfc", "é".encode(), b"A" * 1100, b"LIST",
    b"none", b"()", b"(1,2)", b"4294967296", b"2147483647", b"\x1b[2J", b"{", b"[", b'"', b"\\",
]  # fmt: skip
_WHERE = st.integers(0, 1 << 30)


def _byte_edits() -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of(
        st.tuples(st.just("flip"), _WHERE, st.integers(0, 7)),
        st.tuples(st.just("set"), _WHERE, st.integers(0, 255)),
        st.tuples(st.just("cut"), _WHERE),
        st.tuples(st.just("insert"), _WHERE, st.sampled_from(TOKENS)),
        st.tuples(st.just("replace"), _WHERE, st.sampled_from(TOKENS)),
        st.tuples(st.just("remove"), _WHERE, st.integers(1, 64)),
        st.tuples(st.just("repeat"), _WHERE, st.integers(1, 64), st.integers(1, 200)),
        st.tuples(st.just("number"), _WHERE, st.sampled_from(TOKENS)),
        st.tuples(st.just("word32"), _WHERE, st.integers(0, (1 << 32) - 1)),
    )


def _edit(data: bytes, edit: tuple[Any, ...], head: int) -> bytes:
    """Apply one edit; four of five hit the first ``head`` bytes, where the header is."""
    kind, where, *rest = edit
    if not data:
        return data
    span = min(len(data), head) if where % 5 else len(data)
    at = where // 5 % span
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << rest[0]]) + data[at + 1 :]
    if kind == "set":
        return data[:at] + bytes([rest[0]]) + data[at + 1 :]
    if kind == "cut":
        return data[: where % len(data)]
    if kind == "insert":
        return data[:at] + rest[0] + data[at:]
    if kind == "replace":
        return data[:at] + rest[0] + data[at + len(rest[0]) :]
    if kind == "remove":
        return data[:at] + data[at + rest[0] :]
    if kind == "repeat":
        return data[:at] + data[at : at + rest[0]] * rest[1] + data[at:]
    if kind == "number":
        return _replace_number(data, at, rest[0])
    return data[:at] + int(rest[0]).to_bytes(4, "little") + data[at + 4 :]


def _replace_number(data: bytes, at: int, token: bytes) -> bytes:
    """Replace the next number in a text."""
    digits = b"0123456789.+-e"
    start = next((i for i in range(at, min(at + 200, len(data))) if data[i] in digits), None)
    if start is None:
        return data
    end = start
    while end < len(data) and data[end] in digits:
        end += 1
    return data[:start] + token + data[end:]


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes], head: int = 512) -> bytes:
    """One of the seeds with a few edits."""
    data = draw(st.sampled_from(seeds))
    for edit in draw(st.lists(_byte_edits(), min_size=1, max_size=6)):
        data = _edit(data, edit, head)
    return data[: 1 << 20]


_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2**31, 2**63, 10**30, 1e308, -1e-320, float("nan"), float("inf")]),
    st.sampled_from(["", "x", "../x", "/etc/passwd", "\0", "\x1b[2J", "a" * 5000, "\ud800", "%s"]),
    st.sampled_from([[], {}, [[]], [None], {"": None}, [{}], {"a": {"b": {}}}]),
    st.text(max_size=8),
    st.integers(),
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:6]):
            found += _paths(inner, (*path, number))
    return found


@st.composite
def odd_json(draw: st.DrawFn, seeds: Sequence[Any]) -> bytes:
    """One of the JSON trees with some of its parts replaced, removed or nested; or bytes of it."""
    tree = json.loads(json.dumps(draw(st.sampled_from(seeds))))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_paths(tree)))
        how = draw(st.sampled_from(["replace"] * 5 + ["remove", "nest", "add"]))
        if not path:
            if how == "replace" and draw(st.integers(0, 9)) == 0:
                tree = deepcopy(draw(_ODD))
            continue
        parent = tree
        try:
            for key in path[:-1]:
                parent = parent[key]
            if how == "replace":
                parent[path[-1]] = deepcopy(draw(_ODD))
            elif how == "remove":
                del parent[path[-1]]
            elif how == "add":
                parent[path[-1]] = {"unknown": deepcopy(draw(_ODD)), "value": parent[path[-1]]}
            else:
                parent[path[-1]] = [parent[path[-1]]]
        except (KeyError, IndexError, TypeError):
            continue
    text = json.dumps(tree).encode("utf-8", "surrogatepass")
    last = draw(st.integers(0, 40))
    if last == 0:
        return b"[" * 100_000
    if last == 1:
        return b'{"a":' * 60_000 + b"1"
    if last < 6:
        return draw(damaged([text], head=4096))
    return text


@st.composite
def sentences(draw: st.DrawFn, words: Sequence[str]) -> bytes:
    """Words of the vocabulary, of other languages and of none, with every kind of separator."""
    piece = st.one_of(
        st.sampled_from(list(words)),
        st.sampled_from(
            ["and", "or", "without", "no", "not", "left", "right", "upper", "und", "ohne", ",", ";",
             ".", ":", "\n", "(", ")", "1)", "-", "left:", "of", "in the", "above", "on T2", "et"]
        ),
        st.text(max_size=6),
    )  # fmt: skip
    parts = draw(st.lists(piece, max_size=30))
    text = draw(st.sampled_from([" ", "", ", "])).join(parts)
    return (text * draw(st.sampled_from([1] * 9 + [20])))[:4000].encode("utf-8", "surrogatepass")
