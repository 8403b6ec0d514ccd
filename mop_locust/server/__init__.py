"""The reference MOP server: the default target of the demo, and the double of the tests."""
