"""Exit codes: scripts rely on them."""

from __future__ import annotations

EXIT_DONE, EXIT_INTERNAL, EXIT_ERROR, EXIT_NOT_FOUND, EXIT_CANCELLED = 0, 1, 2, 3, 130
