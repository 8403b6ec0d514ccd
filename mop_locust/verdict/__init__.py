"""Pure judgement: threshold texts and merged totals in, a verdict with its exit code out.

threshold    the grammar, its parser, and the check against the metrics a run can have
judge        totals and thresholds -> Verdict
exit_codes   what the process ends with, and why
"""
