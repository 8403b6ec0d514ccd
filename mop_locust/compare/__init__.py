"""Two groups of runs against each other: the run is the sample, since the requests of one run are not independent.

permutation  PURE statistics: the exact test, its interval, Holm's correction, how many runs are needed
paired       PURE statistics: the interval of a paired difference
measures     what a run is compared by
conditions   what must be alike in all runs, and what is not
comparison   an answer for each measure: better, worse, same, cannot tell
cost         what a mission costs: pairs of runs without and with it
words        the table for the terminal and for Markdown
"""
