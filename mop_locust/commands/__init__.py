"""What each command of `mop-locust` does."""
