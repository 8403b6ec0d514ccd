"""Garbage is collected often and over little, and what survived is looked at again only when there is much more of it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from mop_locust.swarm.generating import short_collections
from mop_locust.swarm.generating.short_collections import THRESHOLDS, ShortCollections


class Thing:
    """Something that the garbage collector watches."""

    other: Thing | None = None


@pytest.fixture
def collections() -> Iterator[ShortCollections]:
    """In force during a test, however it ends."""
    made = ShortCollections()
    yield made
    if made._after in gc.callbacks:
        made.stop()


def circle() -> weakref.ref[Thing]:
    """Two that hold each other and nobody else does, once this has returned."""
    one, two = Thing(), Thing()
    one.other, two.other = two, one
    return weakref.ref(one)


def test_what_survives_a_full_collection_is_frozen(collections: ShortCollections) -> None:
    """And only then."""
    assert gc.get_threshold() == THRESHOLDS
    before = gc.get_freeze_count()
    things = [Thing() for _ in range(5000)]
    gc.collect(1)
    assert gc.get_freeze_count() <= before
    gc.collect()
    assert gc.get_freeze_count() >= before + len(things)
    assert len(gc.get_objects()) < len(things)


def test_garbage_that_is_not_frozen_yet_is_found(collections: ShortCollections) -> None:
    """Also by the collection that freezes."""
    found = circle()
    collections.settle()
    assert found() is None


def test_what_is_frozen_is_looked_at_when_it_has_grown(collections: ShortCollections, monkeypatch: pytest.MonkeyPatch) -> None:
    """A circle that was frozen before it became garbage goes then, and not before."""
    monkeypatch.setattr(short_collections, "SPARE", 1000)
    monkeypatch.setattr(short_collections, "GROWTH", 1.0)
    collections.settle()
    kept = Thing()
    kept.other = kept
    lost = weakref.ref(kept)
    gc.collect()
    del kept
    collections.look()
    assert lost() is not None
    more = [Thing() for _ in range(5000)]
    gc.collect()
    collections.look()
    assert lost() is None
    assert more


def test_the_end_puts_everything_back(collections: ShortCollections) -> None:
    """The interpreter's thresholds, and nothing is frozen."""
    collections.stop()
    assert gc.get_threshold() != THRESHOLDS
    assert gc.get_freeze_count() == 0
    assert collections._after not in gc.callbacks
