# SPDX-License-Identifier: Apache-2.0
"""What an administrator installs: alert rules that fire when they should, and a dashboard of metrics that exist."""

import json
import re
import shutil
import subprocess

import pytest

from lib.server import ROOT

FOLDER = ROOT / "etc" / "prometheus"
DASHBOARD = ROOT / "etc" / "grafana" / "pulumi-api.json"


def promtool(*arguments, folder=None):
    done = subprocess.run(["promtool", *map(str, arguments)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def metrics():
    """{name of a series: its labels} of everything that the server can show."""
    rows = re.findall(r'METRIC\((\w+), (\w+), "(\w+)",\s*"([\w ]*)"', (ROOT / "src/telemetry/metric.def").read_text())
    assert len(rows) > 10
    found = {}
    for _, kind, name, labels in rows:
        for suffix in (["_bucket", "_sum", "_count"] if kind == "HISTOGRAM" else [""]):
            found[name + suffix] = set(labels.split()) | {"job", "instance"} | ({"le"} if suffix == "_bucket" else set())
    return {**found, "up": {"job", "instance"}}


def check(expression, metrics):
    """The metrics that a query names are there, and have the labels that it selects and groups by."""
    named = {word for word in re.findall(r"[a-z_]\w*", re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", " ", expression)) if "_" in word or word == "up"}
    named -= {"histogram_quantile", "label_values"}
    assert named and named <= set(metrics), f"{named - set(metrics)} in {expression}"
    labels = set().union(*(metrics[name] for name in named))
    used = set(re.findall(r"(\w+)(?:=~|!=|=)\"", expression))
    for group in re.findall(r"by \(([^)]*)\)", expression):
        used |= {word.strip() for word in group.split(",")}
    assert used <= labels, f"{used - labels} in {expression}"


def test_rules_are_valid(tmp_path):
    assert "12 rules found" in promtool("check", "rules", FOLDER / "alerts.yml")


def test_the_rules_fire(tmp_path):
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    shutil.copy(ROOT / "tests/telemetry/alerts_test.yml", tmp_path)
    promtool("test", "rules", "alerts_test.yml", folder=tmp_path)


def test_every_rule_is_tested():
    names = re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text())
    tested = (ROOT / "tests/telemetry/alerts_test.yml").read_text()
    assert not [name for name in names if tested.count(f"alertname: {name}") < 2]


def test_the_example_of_a_configuration(tmp_path):
    (tmp_path / "secret").write_text("x")
    text = (FOLDER / "scrape.yml").read_text().replace("/etc/prometheus/pulumi-api.secret", str(tmp_path / "secret"))
    (tmp_path / "prometheus.yml").write_text(text)
    shutil.copy(FOLDER / "alerts.yml", tmp_path / "pulumi-api-alerts.yml")
    assert "SUCCESS" in promtool("check", "config", tmp_path / "prometheus.yml")


def test_rules_name_what_exists(metrics):
    text = (FOLDER / "alerts.yml").read_text()
    expressions = re.findall(r"expr: (?:\|\n((?: {10}.*\n)+)|(.*))", text)
    assert len(expressions) == 12
    for block, line in expressions:
        check(block or line, metrics)


def test_the_dashboard_names_what_exists(metrics):
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    expressions = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(expressions) > 20
    for expression in expressions:
        check(expression, metrics)


def test_the_dashboard_is_understood(tmp_path):
    """Each of its queries is one that Prometheus can read."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    expressions = [target["expr"].replace("$__rate_interval", "5m").replace("$job", "pulumi-api") for panel in panels for target in panel.get("targets", [])]
    rules = [{"record": f"panel:{n}:x", "expr": expression} for n, expression in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yml")


def test_panels_do_not_overlap():
    taken = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def test_the_manual_has_every_metric():
    text = (ROOT / "docs" / "monitoring.md").read_text()
    rows = re.findall(r'METRIC\(\w+, \w+, "(\w+)"', (ROOT / "src/telemetry/metric.def").read_text())
    assert not [name for name in rows if f"`{name}`" not in text]
