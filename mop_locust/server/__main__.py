"""`python -m mop_locust.server`: the same as `mop-locust serve`."""

from __future__ import annotations

import argparse
import sys

from mop_locust.server.run import add_arguments, main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="mop-locust serve", description="Serve a reference MOP server until SIGTERM or Ctrl-C.")
    add_arguments(parser)
    sys.exit(main(parser.parse_args()))
