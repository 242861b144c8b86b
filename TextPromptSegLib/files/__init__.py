"""What every room needs of the disk: checks before a run, whole files, safe JSON."""
