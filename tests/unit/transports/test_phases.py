"""The parts of an exchange start empty and add up."""

from __future__ import annotations

from mop_locust.transports.phases import Phases


def test_clear_means_no_phase() -> None:
    """After `clear` no time is known and nothing was carried."""
    phases = Phases()
    phases.connect_us = phases.sent = phases.status = 5
    phases.clear()
    assert repr(phases) == "<Phases connect_us=-1 first_byte_us=-1 received=0 sent=0 status=0 upgrade_us=-1>"


def test_add_takes_what_is_known() -> None:
    """Bytes add up; times and status are taken over where the other has them."""
    phases, other = Phases(), Phases()
    phases.sent, phases.received, phases.connect_us, phases.status = 10, 20, 30, 200
    other.sent, other.received, other.first_byte_us = 1, 2, 3
    phases.add(other)
    assert (phases.sent, phases.received, phases.connect_us, phases.first_byte_us, phases.status) == (11, 22, 30, 3, 200)
    other.status = 404
    phases.add(other)
    assert phases.status == 404
