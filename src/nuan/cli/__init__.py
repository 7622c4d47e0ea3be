"""In: a command line. Out: work done, progress shown, an exit code."""
