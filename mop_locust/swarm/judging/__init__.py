"""The judging side of a process: a run from its preparation to its verdict, and the roll of its workers."""
