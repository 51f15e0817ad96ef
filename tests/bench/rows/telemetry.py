# SPDX-License-Identifier: Apache-2.0
"""What it costs a journal batch that everything is counted, traced and sent to a real OpenTelemetry Collector."""

import json

from rows.journal import load
from rows.measure import Row, Series, alternate
from rows.stage import ROOT, run, ticks, wait_for

STACKS = 16


def collector(stage):
    """The address of a collector that throws away what it gets."""
    port, config = stage.free_port(), stage.work / "collector.yaml"
    config.write_text(json.dumps({
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{port}"}}}}, "exporters": {"debug": {"verbosity": "basic"}},
        "service": {"telemetry": {"metrics": {"level": "none"}},
                    "pipelines": {name: {"receivers": ["otlp"], "exporters": ["debug"]} for name in ("traces", "metrics")}}}))
    with open(stage.work / "collector.log", "wb") as log:
        stage.child(run(ROOT / "tests/telemetry/get-collector").strip(), "--config", config, stdout=log, stderr=log)
    wait_for(port)
    return f"http://127.0.0.1:{port}"


def overhead(stage, rounds):
    """Two installations, one with everything on and one with everything off."""
    seconds = 1 if stage.quick else 5
    count = max(500, int(12000 * seconds / STACKS))
    servers = {"on": stage.install("telemetry-on", OTEL_EXPORTER_OTLP_ENDPOINT=collector(stage), METRICS_WEBHOOK_SECRET="bench"),
               "off": stage.install("telemetry-off", PULUMI_ENABLE_DEPRECATED_METRICS="false")}
    rates = {name: [] for name in servers}

    def one(name):
        """Milliseconds of the processor for one batch, whoever used them: database, web server, responders, exporter."""
        server = servers[name]
        server.forget_updates()
        family = server.family()
        before = ticks(family)
        done = load(stage, server.folder / "access.json", "-stacks", STACKS, "-seconds", seconds, "-count", count)
        rates[name].append(done["per_second"])
        return 1000 * (ticks(family) - before) / done["batches"]

    for name in servers:
        one(name)  # what is done once is not measured
        rates[name].clear()
    taken = alternate(rounds, {name: lambda _, name=name: one(name) for name in servers})
    on, off = taken["on"], taken["off"]
    return [Row("journal batch with traces, metrics and their export / without, time of the processor", "≤ 1.03", on.over(off),
                f"{on.median:.3f} ms; {off.median:.3f} ms", "{:.3f}"),
            Row("the same, batches a second", "", Series(rates["on"]).over(Series(rates["off"])),
                f"{Series(rates['on']).median:.0f}/s; {Series(rates['off']).median:.0f}/s; the collector shares the processors", "{:.3f}")]
