"""What the suite costs, beside other load generators, on the same work in the same run."""
