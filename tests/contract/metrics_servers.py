"""Two Prometheus servers with the same samples: a stub that can also misbehave, and a real one."""

import json
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web

T0 = 1_760_000_000.0
STEP = 15.0
COUNT = 41


def sample_series():
    """(labels with __name__, samples) of every series that both servers hold."""

    def series(name, pod, namespace="shop", by=1.0, **labels):
        values = [(T0 + i * STEP, i * by) for i in range(COUNT)]
        return ({"__name__": name, "namespace": namespace, "pod": pod, **labels}, values)

    requests, bucket = "http_server_requests_total", "http_server_request_duration_seconds_bucket"
    found = [
        series(requests, pod, by=by, code=code)
        for by, pod in enumerate(("web-1", "web-2", "web-10", "web.1", "webx1"), start=1)
        for code in ("200", "500")
    ]
    found += [series(bucket, "web-1", le=le, route="/a") for le in ("0.1", "+Inf")]
    found += [series(requests, "web-1", "other", code="200")]
    found += [series("jobs_failed_total", "web-1"), series("jobs_processed_total", "web-1", by=10.0)]
    found += [series("kube_pod_container_status_restarts_total", "web-1", container="web")]
    found += [
        series("container_cpu_usage_seconds_total", pod, namespace, by=0.25, container=container, cpu="total")
        for pod, namespace, container in (
            ("web-1", "shop", "web"),
            ("web-1", "shop", "POD"),
            ("web-1", "other", "web"),
            ("web-10", "shop", "web"),
        )
    ]
    found += [series("container_memory_working_set_bytes", "web-1", by=1e6, container="web")]
    labels, values = series("odd_total", "web-1", note='a "quoted" \\ back')
    values[2] = (values[2][0], float("nan"))
    found.append((labels, values))
    return found


class Stub:
    """Answers range selectors as Prometheus 2 does (both ends included, which is the harder case)."""

    def __init__(self):
        self.asked = []
        self.answer = None

    async def query(self, request):
        form = await request.post()
        self.asked.append((dict(form), dict(request.headers), str(request.rel_url)))
        if self.answer is not None:
            return await self.answer(request, form)
        return web.json_response(success(self.result(form)))

    def result(self, form):
        chosen, inside, width = re.fullmatch(r"(\w*)\{(.*)\}\[(\d+)ms\]", form["query"]).groups()
        matchers = re.findall(r'(\w+)(=~?)("(?:[^"\\]|\\.)*")(?:,|$)', inside)
        end, width = float(form["time"]), int(width) / 1000

        def holds(labels):
            wanted = [(k, op, json.loads(v)) for k, op, v in matchers]
            wanted += [("__name__", "=", chosen)] if chosen else []
            return all(
                labels.get(k) == v if op == "=" else re.fullmatch(v, labels.get(k, "")) for k, op, v in wanted
            )

        return [
            {
                "metric": labels,
                "values": [[t, str(v).replace("nan", "NaN")] for t, v in values if end - width <= t <= end],
            }
            for labels, values in sample_series()
            if holds(labels)
        ]


def success(result, **more):
    return {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}


@asynccontextmanager
async def stub():
    made = Stub()
    app = web.Application()
    app.router.add_post("/api/v1/query", made.query)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}", made
    finally:
        await runner.cleanup()


@contextmanager
def real():
    """A Prometheus of the cluster's parts over blocks that hold exactly these samples."""
    from e2e.cluster.parts import PROMETHEUS, program
    from e2e.cluster.places import Places

    places = Places.of({})
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        (where / "samples.om").write_text(open_metrics())
        (where / "prometheus.yaml").write_text("{}")
        backfill = ("tsdb", "create-blocks-from", "openmetrics", "samples.om", "data")
        promtool = program(PROMETHEUS, "promtool", places)
        done = subprocess.run([promtool, *backfill], cwd=where, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        port = free_port()
        server = subprocess.Popen(
            [
                program(PROMETHEUS, "prometheus", places),
                "--config.file=prometheus.yaml",
                "--storage.tsdb.path=data",
                "--storage.tsdb.retention.time=50y",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=error",
            ],
            cwd=where,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/-/ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def open_metrics():
    by_name = {}
    for labels, values in sample_series():
        by_name.setdefault(labels["__name__"], []).append((labels, values))
    lines = []
    for name, found in by_name.items():
        lines.append(f"# TYPE {name} unknown")
        for labels, values in found:
            text = ",".join(f"{k}={json.dumps(v)}" for k, v in labels.items() if k != "__name__")
            lines += [f"{name}{{{text}}} {str(v).replace('nan', 'NaN')} {t:.3f}" for t, v in values]
    return "\n".join([*lines, "# EOF", ""])


def wait_until_ready(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(150):
        try:
            with opener.open(url, timeout=2) as response:
                if response.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{url} was not ready in 30 s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
