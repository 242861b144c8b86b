"""``python -m TextPromptSegLib.worker``: started by the client, not meant to be run by hand."""

from __future__ import annotations

import argparse
import importlib
import logging
import operator
import sys


def main(argv: list[str] | None = None) -> int:
    """Answer requests on stdin/stdout until stdin ends.

    Args:
        argv: the arguments; ``--predictor MODULE:NAME`` puts in another predictor (tests).
    """
    parser = argparse.ArgumentParser(prog="TextPromptSegLib.worker", description=__doc__)
    parser.add_argument("--predictor", metavar="MODULE:NAME", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)

    from ..files.processes import take_pipes
    from ..inference.device import keep_freed_memory
    from .server import Server, default_factory

    keep_freed_memory()
    source, target = take_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    factory = default_factory
    if options.predictor:
        module, _, name = options.predictor.partition(":")
        factory = operator.attrgetter(name)(importlib.import_module(module))
    Server(source, target, factory).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
