"""A paper's tables beside what was measured here."""
