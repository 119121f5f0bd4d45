# SPDX-License-Identifier: Apache-2.0
"""Alert rules and dashboard name only metrics that the engine has (by src), the hosts' exporter has, or
deploy/ansible tells; each alert has a runbook and tests for when it fires and when not, which pass.

usage: alerts_test.py
"""
import json
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yml"
RULE_TESTS = ROOT / "deploy/prometheus/alerts_test.yml"
DASHBOARD = ROOT / "deploy/grafana/todoku.json"
# Of Prometheus itself, and of prometheus-node-exporter 1.5.
OTHERS = {"up", "ALERTS", "node_filesystem_avail_bytes", "node_filesystem_size_bytes",
          "node_timex_offset_seconds", "node_timex_sync_status"}
METRIC = re.compile(r"\b((?:todoku|node|process)_[a-z0-9_]+|up|ALERTS)\b")
LABEL = re.compile(r'(\w+)(?:=~?|!~?)"([^"]*)"')
KINDS = re.compile(r'\b(counter|gauge|histogram)\(\s*"(\w+)"')
ANY = re.compile(r'"((?:todoku|process)_[a-z0-9_]+)"')


def known_metrics():
    """Every name that src registers, and of histograms its series."""
    known = set(OTHERS)
    for path in (ROOT / "src").rglob("*"):
        if path.suffix not in (".cc", ".h") or path.stem.endswith("_test"):
            continue
        text = path.read_text()
        known |= set(ANY.findall(text))
        known |= {name + series for kind, name in KINDS.findall(text) if kind == "histogram"
                  for series in ("_bucket", "_sum", "_count")}
    for path in (ROOT / "deploy/ansible").rglob("*.j2"):
        known |= set(re.findall(r"# TYPE (\w+) ", path.read_text()))
    return known


def expressions_of_rules():
    """{alert: expression}"""
    found = {}
    for block in re.split(r"(?m)^ +- alert: ", RULES.read_text())[1:]:
        body = re.search(r"expr:(.*?)\n +(?:for|labels|annotations):", block, re.DOTALL)[1]
        found[block.split("\n")[0].strip()] = body
    return found


def expressions_of_dashboard():
    board = json.loads(DASHBOARD.read_text())
    found = {f"{panel['title']} {target['refId']}": target["expr"]
             for panel in board["panels"] for target in panel.get("targets", [])}
    found |= {each["name"]: each["expr"] for each in board["annotations"]["list"]}
    return found


def metrics_of(expression):
    # Values and names of labels are no metrics.
    bare = re.sub(r"\{[^}]*\}|by \([^)]*\)", "", expression)
    return set(METRIC.findall(bare))


def causes():
    text = (ROOT / "src/mail/cause.cc").read_text()
    return set(re.findall(r'return "(\w+)";', text))


def promtool(*words):
    done = subprocess.run(["promtool", *words], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class AlertsTest(unittest.TestCase):
    def test_every_metric_is_there(self):
        known = known_metrics()
        for of, expressions in (("rule", expressions_of_rules()), ("panel", expressions_of_dashboard())):
            for name, expression in expressions.items():
                named = metrics_of(expression)
                self.assertTrue(named, f"{of} {name} names no metric: {expression}")
                self.assertEqual(named - known, set(), f"{of} {name}")

    def test_the_check_sees_what_is_not_there(self):
        self.assertEqual(metrics_of("sum by (site) (rate(todoku_no_such_total[5m]))") - known_metrics(),
                         {"todoku_no_such_total"})

    def test_causes_are_those_of_the_engine(self):
        known = causes()
        for name, expression in expressions_of_rules().items():
            for label, values in LABEL.findall(expression):
                if label == "cause":
                    self.assertEqual(set(values.split("|")) - known, set(), name)

    def test_every_alert_has_a_runbook_in_both_languages(self):
        alerts = re.findall(r"runbook: docs/runbooks\.md#([\w-]+)", RULES.read_text())
        self.assertEqual(len(alerts), len(expressions_of_rules()))
        for page in ("runbooks.md", "runbooks.ja.md"):
            anchors = re.findall(r'(?m)^<a id="([\w-]+)"></a>$', (ROOT / "docs" / page).read_text())
            self.assertEqual(set(alerts) - set(anchors), set(), page)
            self.assertEqual(len(anchors), len(set(anchors)))

    def test_every_alert_and_every_alarm_has_a_row(self):
        """docs/operating.md, "Alarms there and here"."""
        part = re.search(r"(?ms)^### Alarms there and here\n(.*?)^## ", (ROOT / "docs/operating.md").read_text())[1]
        rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| `")]
        named = [re.findall(r"`(\w+)`", row[0]) for row in rows]
        self.assertEqual(sorted(sum(named, [])), sorted(expressions_of_rules()))
        alarms = set()
        for path in (ROOT / "deploy/terraform/modules").rglob("*.tf"):
            text = path.read_text()
            alarms |= set(re.findall(r'alarm_name += "\$\{[\w.]+\}-([\w-]+)"', text))
            if path.parent.name == "alarms":
                alarms |= set(re.findall(r"(?m)^    ([\w-]+) = \{$", text)) - {"aws"}
        self.assertGreater(len(alarms), 10)
        told = set(re.findall(r"`([a-z-]+)`", " ".join([row[1] for row in rows] + [part.split("Besides, there:")[1]])))
        self.assertEqual(alarms - told, set())

    def test_promtool_finds_the_rules_in_order(self):
        status, said = promtool("check", "rules", RULES)
        self.assertEqual(status, 0, said)

    def test_each_alert_fires_when_it_must_and_only_then(self):
        tests = RULE_TESTS.read_text()
        for name in expressions_of_rules():
            for what in ("fires", "is silent"):
                self.assertRegex(tests, rf"(?m)^  - name: {name} {what}$")
        status, said = promtool("test", "rules", RULE_TESTS)
        self.assertEqual(status, 0, said)


if __name__ == "__main__":
    unittest.main()
