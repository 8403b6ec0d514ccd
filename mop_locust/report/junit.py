"""`junit.xml`: a case for each threshold and one for the validity of the run; green exactly when the exit code is 0."""

from __future__ import annotations

from xml.etree import ElementTree

from mop_locust.report import headline, table, thresholds
from mop_locust.report.document import SummaryDocument
from mop_locust.report.text import CUT_PROSE, plain, xml
from mop_locust.verdict.judge import ThresholdJson


def render(summary: SummaryDocument) -> bytes:
    """The verdict as JUnit XML in UTF-8, with the terminal's table as `system-out`."""
    run, verdict = summary["run"], summary["verdict"]
    name = xml(plain(run["scenario"]))
    suite = ElementTree.Element("testsuite", name=name, time=f"{run['seconds']:.3f}", timestamp=xml(plain(run["started"])))
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("run", run["id"]), ("suite_version", run["suite_version"]), ("verdict", headline.verdict_words(summary))):
        ElementTree.SubElement(properties, "property", name=key, value=xml(plain(value)))
    failures = sum(_threshold_case(suite, name, result, summary) for result in verdict["thresholds"])
    failures += _validity_case(suite, name, summary, explained=failures > 0)
    suite.set("tests", str(len(verdict["thresholds"]) + 1))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    ElementTree.SubElement(suite, "system-out").text = xml(table.render(summary))
    root = ElementTree.Element("testsuites", name="mop-locust", tests=suite.attrib["tests"], failures=str(failures), errors="0")
    root.append(suite)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _threshold_case(suite: ElementTree.Element, scenario: str, result: ThresholdJson, summary: SummaryDocument) -> bool:
    """Add the case of one threshold; True when it is red."""
    name = xml(f"{plain(result['metric'])}: {plain(result['expression'])}")
    case = ElementTree.SubElement(suite, "testcase", classname=scenario, name=name)
    if result["state"] == "PASSED":
        return False
    found = thresholds.found_text(result, summary["metrics"])
    wanted = thresholds.limit_text(result, summary["metrics"])
    message = f"no data ({wanted})" if result["state"] == "NO_DATA" else f"crossed: {found} ({wanted})"
    # The sentence tells of the state that gave the run its name.
    explained = result["state"] == summary["verdict"]["state"]
    _fail(case, result["state"], message, summary["verdict"]["sentence"] if explained else "")
    return True


def _validity_case(suite: ElementTree.Element, scenario: str, summary: SummaryDocument, *, explained: bool) -> bool:
    """Add the case of the run as a whole; True when it is red, as it is for each red run that no threshold explains."""
    verdict = summary["verdict"]
    case = ElementTree.SubElement(suite, "testcase", classname=scenario, name="validity")
    refused = verdict["exit_code"] in (2, 4) or (verdict["exit_code"] != 0 and not explained)
    if refused:
        valid = verdict["validity"] == "valid"
        kind = "ERROR" if verdict["exit_code"] == 2 else verdict["state"] if valid else verdict["validity"].upper()
        message = verdict["sentence"] if valid or not verdict["reasons"] else verdict["reasons"][0]
        _fail(case, kind, message, "\n".join([verdict["sentence"], *verdict["reasons"]]))
    return refused


def _fail(case: ElementTree.Element, kind: str, message: str, text: str) -> None:
    failure = ElementTree.SubElement(case, "failure", type=kind, message=xml(plain(message, CUT_PROSE)))
    failure.text = xml("\n".join(plain(line, CUT_PROSE) for line in text.splitlines()))
