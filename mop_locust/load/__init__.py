"""When load arrives, as arithmetic: a rate over time, the instants that a clock makes of it, and whose each of them is."""
