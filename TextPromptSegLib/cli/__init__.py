"""The command line `textpromptseg` and its exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .exits import EXIT_CANCELLED, EXIT_DONE, EXIT_ERROR, EXIT_INTERNAL


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 2: usage or input error, one line on stderr. 3: done, but nothing was found for at
    least one prompt. 130: cancelled, nothing half-written is left. (1 is a fault of the program.)

    Args:
        arguments: words after the program's name; those of the process when None.
    """
    from .cancel import Stopped, catch_signals

    debug = bool(os.environ.get("TEXTPROMPTSEG_DEBUG"))
    with catch_signals():
        try:
            return _run(arguments, debug)
        except Stopped as stopped:
            return _say(str(stopped), EXIT_CANCELLED)
        except KeyboardInterrupt:
            return _say("cancelled; nothing half-written is left", EXIT_CANCELLED)


def _run(arguments: Sequence[str] | None, debug: bool) -> int:
    """Run the command; Ctrl-C goes through as KeyboardInterrupt."""
    from ..inference.device import keep_freed_memory
    from ..outcome import Cancelled, TextPromptSegError
    from .app import build_app, quiet_libraries
    from .cancel import Stopped, cancelled

    quiet_libraries(debug)
    keep_freed_memory()
    try:
        code = build_app()(args=arguments, prog_name="textpromptseg", standalone_mode=False)
        sys.stdout.flush()
        if code == EXIT_CANCELLED:  # typer turns KeyboardInterrupt into this code
            raise KeyboardInterrupt
        return code if isinstance(code, int) else EXIT_DONE
    except Stopped:
        raise
    except Cancelled:
        raise KeyboardInterrupt from None
    except TextPromptSegError as error:
        if debug:
            raise
        return _say(str(error), EXIT_ERROR)
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`); keep the interpreter's last flush quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except MemoryError:
        return _say("there is too little memory; choose a smaller region", EXIT_ERROR)
    except OSError as error:
        if debug:
            raise
        return _say(_file_trouble(error), EXIT_ERROR)
    except SystemExit:
        if cancelled():  # some library turned Ctrl-C into the end of the program
            raise KeyboardInterrupt from None
        raise
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of typer
            return _usage(error)
        if type(error).__name__ == "Abort":
            raise KeyboardInterrupt from None
        if debug:
            raise
        text = f"internal error ({type(error).__name__}: {error})"
        return _say(f"{text}; set TEXTPROMPTSEG_DEBUG=1 to see where", EXIT_INTERNAL)


def _file_trouble(error: OSError) -> str:
    """Say which file cannot be used, or what the system said where no file is named."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename:
        return f"{os.fsdecode(error.filename)} cannot be used ({reason})"
    if "tempor" in reason or "MPLCONFIGDIR" in reason:
        return f"{reason.rstrip('.')}; name a folder that can be written with TMPDIR"
    return f"a file cannot be used ({reason})"


def _usage(error: Exception) -> int:
    """Say in one line what is wrong with the command and where help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "textpromptseg"
    message = error.format_message()  # type: ignore[attr-defined]
    if not message:  # called without arguments: help was printed
        return EXIT_ERROR
    return _say(f"{message.rstrip('.')}; see '{command} --help'", EXIT_ERROR)


def _say(text: str, code: int) -> int:
    """Print one line on stderr and return the exit code."""
    from .clean import clean

    print("textpromptseg: " + clean(" ".join(text.split())), file=sys.stderr, flush=True)
    return code
