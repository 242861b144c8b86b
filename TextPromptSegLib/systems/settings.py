"""What the systems' configurations do alike: tuples of JSON lists, values that have a name."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def make_tuples(config: object, *names: str) -> None:
    """Make tuples of the JSON lists in some fields of a frozen dataclass; None stays.

    Args:
        config: inside its ``__post_init__``.
        names: of the fields.
    """
    for name in names:
        value = getattr(config, name)
        if value is not None:
            object.__setattr__(config, name, tuple(value))


def check_choices(config: object, choices: Mapping[str, Collection[str]]) -> None:
    """Refuse a field whose value is none of those that it can have.

    Args:
        config: a configuration.
        choices: field -> its values.

    Raises:
        ValueError: with one sentence.
    """
    for name, allowed in choices.items():
        value = getattr(config, name)
        if value not in allowed:
            raise ValueError(f"{name} is {' or '.join(allowed)}, not {value!r}")
