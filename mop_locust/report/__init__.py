"""The run folder: every file in it is a pure function of the summary of a run, only `folder` writes."""
