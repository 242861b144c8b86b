"""The networks, one folder for each paper; their common shape and their registry."""
