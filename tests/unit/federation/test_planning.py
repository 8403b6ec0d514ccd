"""What a run calls, and what stands against it."""

from __future__ import annotations

import msgspec
import pytest

from mop_locust.federation.catalogue import CataloguedTool
from mop_locust.federation.plan import Plan, PooledTool
from mop_locust.federation.planning import MOST_BYTES, PlanError, make_plan, read_given

ANY = {"type": "object"}
QUERY = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
IMPOSSIBLE = {"type": "object", "properties": {"p": {"type": "string", "pattern": "^[0-9]+$"}}, "required": ["p"]}


def mistakes(*tools: CataloguedTool, **given: list[dict[str, object]]) -> list[str]:
    """What make_plan says."""
    with pytest.raises(PlanError) as caught:
        make_plan(tools, given, 0)
    assert str(caught.value) == "; ".join(caught.value.mistakes)
    return caught.value.mistakes


def test_a_plan() -> None:
    """Federated and local tools apart; a given pool is the whole pool."""
    tools = [CataloguedTool("a", ANY, "two"), CataloguedTool("b", QUERY, "one"), CataloguedTool("c", ANY)]
    plan = make_plan(tools, {"b": [{"q": "x"}, {"q": "y"}]}, 0)
    assert plan == Plan([PooledTool("a", [{}], "two"), PooledTool("b", [{"q": "x"}, {"q": "y"}], "one")], [PooledTool("c", [{}])])
    assert plan.downstreams == ["one", "two"]
    assert plan.of("one") == [plan.federated[1]]
    assert msgspec.convert(msgspec.to_builtins(plan), Plan) == plan


def test_the_seed_and_the_name_decide_the_arguments() -> None:
    """Two tools of one schema have different ones; so have two seeds."""
    tools = [CataloguedTool("a", QUERY, "one"), CataloguedTool("b", QUERY, "one")]
    first, second = make_plan(tools, {}, 0).federated
    assert first.arguments != second.arguments
    assert make_plan(tools, {}, 0).federated == [first, second]
    assert make_plan(tools, {}, 1).federated[0].arguments != first.arguments


def test_a_local_tool_without_arguments_is_left_out() -> None:
    """A federated one is a mistake: it would be missing from the figures."""
    local, federated = CataloguedTool("a", IMPOSSIBLE), CataloguedTool("b", ANY, "one")
    assert make_plan([local, federated], {}, 0).local == []
    assert mistakes(CataloguedTool("a", IMPOSSIBLE, "one"), federated) == [
        "no arguments could be made for a from its inputSchema: give some with MOP_FED_ARGS (--mop-fed-args)"
    ]
    assert make_plan([CataloguedTool("a", IMPOSSIBLE, "one")], {"a": [{"p": "12"}]}, 0).federated[0].arguments == [{"p": "12"}]


def test_nothing_federated() -> None:
    """It says what there is instead."""
    assert mistakes(CataloguedTool("a", ANY), CataloguedTool("b", ANY))[0].startswith(
        "the server federates no tool: its catalogue has 2 tools, all its own; federated_calls needs a downstream server"
    )
    assert mistakes()[0].startswith("the server federates no tool: its catalogue is empty; ")


def test_all_mistakes_of_what_was_given_at_once() -> None:
    """An unknown tool, and sets that do not fit, the first few of each tool."""
    tool = CataloguedTool("b", QUERY, "one")
    assert mistakes(tool, gone=[{}], b=[{"q": "x"}, {"q": 1}, {}]) == [
        "MOP_FED_ARGS (--mop-fed-args): the server has no tool 'gone'; it has b",
        "MOP_FED_ARGS (--mop-fed-args): b, set 2: q: 1 is not of type 'string'",
        "MOP_FED_ARGS (--mop-fed-args): b, set 3: the arguments: 'q' is a required property",
    ]
    assert len(mistakes(tool, b=[{}] * 50)) == 5


def test_all_pools_share_one_budget() -> None:
    """Many tools have fewer sets each, and each has one."""
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string", "minLength": 20} for n in range(40)}}
    plan = make_plan([CataloguedTool(f"t{n:03}", wide, "one") for n in range(60)], {}, 0)
    sizes = [len(tool.arguments) for tool in plan.federated]
    assert min(sizes) >= 1
    assert max(sizes) < 100
    assert sum(len(msgspec.json.encode(one)) for tool in plan.federated for one in tool.arguments) <= MOST_BYTES


def test_what_is_given() -> None:
    """A list of objects a tool."""
    assert read_given(b'{"a": [{"q": "x"}, {}]}') == {"a": [{"q": "x"}, {}]}


@pytest.mark.parametrize("text", [b"", b"[]", b'{"a": {"q": 1}}', b'{"a": [1]}', b"\xff"])
def test_what_is_given_wrong(text: bytes) -> None:
    """It shows what is allowed."""
    with pytest.raises(PlanError, match=r'allowed: \{"TOOL": \[\{"NAME": VALUE\}\]\}'):
        read_given(text)


def test_too_many_or_no_sets() -> None:
    """Both are told, with their numbers."""
    many = msgspec.json.encode({"a": [], "b": [{}] * 101})
    with pytest.raises(PlanError) as caught:
        read_given(many)
    assert caught.value.mistakes == [
        "MOP_FED_ARGS (--mop-fed-args): a has 0 sets; allowed: 1 to 100",
        "MOP_FED_ARGS (--mop-fed-args): b has 101 sets; allowed: 1 to 100",
    ]
