"""Pure judgement: threshold texts and merged totals in, a verdict with its exit code out.

threshold    the grammar, its parser, and the check against the metrics a run can have
value        what a threshold speaks of in some totals, and the figure of it
windows      thresholds over sliding windows, and those that end a run
judge        totals and thresholds -> Verdict
exit_codes   what the process ends with, and why
"""
