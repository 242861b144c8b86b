"""What every room needs of the disk: checks before a run, whole files, JSON that cannot hurt."""
