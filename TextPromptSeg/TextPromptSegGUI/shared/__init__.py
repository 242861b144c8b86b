"""What every widget stands on: the worker, one run, settings, connections, installation."""
