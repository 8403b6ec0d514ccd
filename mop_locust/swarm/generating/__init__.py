"""The load generating side of a process: its clock of arrivals, its ledger and what it reports."""
