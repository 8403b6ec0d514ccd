"""The manifests for Kubernetes: as kustomize makes them, by the real schemas, and as one swarm that fits together."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from locust.argument_parser import get_parser

from mop_locust.config import NOT_SETTINGS, SETTINGS

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "kubernetes"
RELEASES = ("1.33", "1.37")  # from the first one with everything that the Jobs ask for
Manifest = dict[str, Any]


def kustomized(folder: Path) -> dict[tuple[str, str], Manifest]:
    """What `kubectl apply -k` would send, by kind and name."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not there")
    made = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    return {(found["kind"], found["metadata"]["name"]): found for found in yaml.safe_load_all(made.stdout)}


@cache
def manifests() -> dict[tuple[str, str], Manifest]:
    """Those of the base."""
    return kustomized(BASE)


def pod(role: str) -> Manifest:
    """The pod template of a Job."""
    template: Manifest = manifests()["Job", f"mop-locust-{role}"]["spec"]["template"]
    return template


def variables(role: str) -> dict[str, Any]:
    """The variables of a container that stand in its pod."""
    [container] = pod(role)["spec"]["containers"]
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in container["env"]}


def test_the_swarm_is_made_of_these() -> None:
    """Everything in the namespace, which takes restricted pods only."""
    assert set(manifests()) == {
        ("Namespace", "mop-locust"),
        ("ConfigMap", "mop-locust-settings"),
        ("PersistentVolumeClaim", "mop-locust-reports"),
        ("Service", "mop-locust-master"),
        ("NetworkPolicy", "mop-locust-master"),
        ("NetworkPolicy", "mop-locust-worker"),
        ("Job", "mop-locust-master"),
        ("Job", "mop-locust-worker"),
    }
    spaces = {found["metadata"].get("namespace") for (kind, _), found in manifests().items() if kind != "Namespace"}
    assert spaces == {"mop-locust"}
    labels = manifests()["Namespace", "mop-locust"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("release", RELEASES)
def test_the_manifests_fit_the_schemas_of_kubernetes(release: str) -> None:
    """Strictly: a field that there is not would be an error, and is not silently dropped."""
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not there")
    reader = yaml.safe_load((BASE / "reader.yaml").read_text())
    checked = [*manifests().values(), reader]
    for manifest in checked:
        validate.validate(manifest, release, strict=True)
    assert len(checked) == 9
    wrong = {**reader, "spec": {**reader["spec"], "restartPolice": "Never"}}
    with pytest.raises(validate.ValidationError):
        validate.validate(wrong, release, strict=True)


@pytest.mark.parametrize("where", ["master", "worker", "reader"])
def test_a_pod_is_restricted(where: str) -> None:
    """By the pod security standard, and with a root file system that cannot be written."""
    spec = yaml.safe_load((BASE / "reader.yaml").read_text())["spec"] if where == "reader" else pod(where)["spec"]
    security = spec["securityContext"]
    assert (security["runAsNonRoot"], security["runAsUser"], security["seccompProfile"]) == (
        True,
        1000,
        {"type": "RuntimeDefault"},
    )
    assert spec["automountServiceAccountToken"] is False
    [container] = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"] == container["resources"]["limits"]


def test_a_pod_has_longer_to_stop_than_its_users() -> None:
    """10 s of stop timeout; the master also waits 5 s beyond it for its workers."""
    worker, master = (
        pod("worker")["spec"]["terminationGracePeriodSeconds"],
        pod("master")["spec"]["terminationGracePeriodSeconds"],
    )
    assert worker > 10
    assert master > worker + 15


def test_the_number_of_workers_stands_in_one_place(tmp_path: Path) -> None:
    """Another one, by a patch, reaches all three."""
    shutil.copytree(BASE, tmp_path / "kubernetes")
    text = (tmp_path / "kubernetes" / "worker.yaml").read_text()
    (tmp_path / "kubernetes" / "worker.yaml").write_text(text.replace("parallelism: 4", "parallelism: 9"))
    made = kustomized(tmp_path / "kubernetes")
    job = made["Job", "mop-locust-worker"]["spec"]
    assert (job["completionMode"], job["parallelism"], job["completions"]) == ("Indexed", 9, 9)
    [master] = made["Job", "mop-locust-master"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "LOCUST_EXPECT_WORKERS", "value": "9"} in master["env"]


def test_a_lost_pod_does_not_end_the_others_and_no_run_is_begun_twice() -> None:
    """A failed index of the workers is its own; a master that failed has judged."""
    assert manifests()["Job", "mop-locust-worker"]["spec"]["backoffLimitPerIndex"] == 0
    assert manifests()["Job", "mop-locust-master"]["spec"]["backoffLimit"] == 0
    assert {pod(role)["spec"]["restartPolicy"] for role in ("master", "worker")} == {"Never"}


def test_workers_and_nobody_else_reach_the_masters_port() -> None:
    """By the name that they call, through the policy, on the port that Locust listens on."""
    service = manifests()["Service", "mop-locust-master"]["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    assert service["selector"].items() <= pod("master")["metadata"]["labels"].items()
    [worker] = pod("worker")["spec"]["containers"]
    assert worker["command"][worker["command"].index("--master-host") + 1] == "mop-locust-master"
    policy = manifests()["NetworkPolicy", "mop-locust-master"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= pod("master")["metadata"]["labels"].items()
    [rule] = policy["ingress"]
    [peer] = rule["from"]
    assert peer["podSelector"]["matchLabels"].items() <= pod("worker")["metadata"]["labels"].items()
    assert rule["ports"] == [{"protocol": "TCP", "port": 5557}]
    assert [port["port"] for port in service["ports"]] == [5557]
    closed = manifests()["NetworkPolicy", "mop-locust-worker"]["spec"]
    assert (closed["policyTypes"], closed.get("ingress")) == (["Ingress"], None)
    assert closed["podSelector"]["matchLabels"].items() <= pod("worker")["metadata"]["labels"].items()


def test_the_report_stays() -> None:
    """Where the master writes it, on a claim that belongs to no pod."""
    [container] = pod("master")["spec"]["containers"]
    [mount] = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "reports"]
    assert mount == "/mop-locust/reports"
    assert {"name": "reports", "persistentVolumeClaim": {"claimName": "mop-locust-reports"}} in pod("master")["spec"]["volumes"]


def test_every_variable_means_something() -> None:
    """A setting of the suite, a key, or an option of Locust; a key is read from the Secret."""
    of_locust = {action.env_var for action in get_parser(default_config_files=[])._actions if getattr(action, "env_var", None)}
    known = {setting.name for setting in SETTINGS} | NOT_SETTINGS | of_locust | {"LOCUST_LOCUSTFILE"}
    settings = manifests()["ConfigMap", "mop-locust-settings"]["data"]
    assert set(settings) | set(variables("master")) | set(variables("worker")) <= known
    assert (ROOT / settings["LOCUST_LOCUSTFILE"]).is_file()
    for role in ("master", "worker"):
        assert variables(role)["MOP_API_KEY"]["secretKeyRef"]["name"] == "mop-locust-keys"
        [container] = pod(role)["spec"]["containers"]
        [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "link"]
        [volume] = [volume for volume in pod(role)["spec"]["volumes"] if volume["name"] == "link"]
        [item] = volume["secret"]["items"]
        assert (mount["readOnly"], volume["secret"]["defaultMode"]) == (True, 0o440)
        assert variables(role)["MOP_CLUSTER_KEY_FILE"] == f"{mount['mountPath']}/{item['path']}"


@pytest.mark.parametrize("path", sorted((BASE / "operators").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_samples_for_the_operators_fit_the_suite(path: Path) -> None:
    """The image by the target of the Dockerfile, a headless master, a scenario that there is, variables that mean something."""
    sample = yaml.safe_load(path.read_text())
    assert sample["kind"] == "LocustTest"
    assert sample["spec"]["image"] == "mop-locust:operator"
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r'^FROM suite AS operator\nENTRYPOINT \["locust"\]$', dockerfile, re.MULTILINE)
    text = path.read_text()
    assert "--headless" in text
    assert re.findall(r"(?:-f|--locustfile) (\S+)", text)
    assert [file for file in re.findall(r"(?:-f|--locustfile) (\S+)", text) if not (ROOT / file).is_file()] == []
    known = {setting.name for setting in SETTINGS} | NOT_SETTINGS
    assert set(re.findall(r"\bMOP_[A-Z_]+", text)) <= known
