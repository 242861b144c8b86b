"""Public data sets as they come from their publishers, made readable as `Dataset`."""
