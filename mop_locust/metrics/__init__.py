"""Pure numbers: a sample goes into a ledger, its snapshots into a merge, the merge into a summary.

sample       one exchange, and the closed set of outcomes
histogram    log-linear counts of integers, which merge exactly
instruments  the declarations Counter, Rate and Trend, and the catalogue of a run
labels       the texts that name a series or a class of errors
accumulators what one series adds up to
tally        all series of one span of time
snapshot     the wire format between worker and master
ledger       a worker's samples -> cumulative snapshots
totals       the tally under the public metric names
windows      the course of the run, second by second, in bounded memory
merge        the snapshots of all workers -> totals and windows
summary      totals and windows as JSON-ready values, and back
"""
