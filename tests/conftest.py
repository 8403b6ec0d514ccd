"""What every test needs: Locust's patches before anything else, and property tests that find the same thing each time."""

from __future__ import annotations

import locust  # noqa: F401  first of all: `requests` imported before Locust's patches recurses without end in ssl
from hypothesis import settings

# Examples are the same in each run, so that a red build is red again. `pytest --hypothesis-profile=explore` looks further.
# No deadline: a slow machine is no bug.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("steady")
