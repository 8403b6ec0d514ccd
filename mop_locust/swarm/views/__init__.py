"""A run that goes on, as people and other programs see it: the terminal, Locust's pages, `/mop`, and metrics that leave."""
