"""A Prometheus that holds the series it was given and answers range selectors, nothing else."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class Prometheus(BaseHTTPRequestHandler):
    """Answers range selectors out of its series."""

    series = ()

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        found = re.fullmatch(r"(\w*)\{(.*)\}\[(\d+)ms\]", form["query"][0])
        chosen, inside, width = found.groups()
        matchers = re.findall(r'(\w+)(=~?)("(?:[^"\\]|\\.)*")', inside)
        end, width = float(form["time"][0]), int(width) / 1000
        result = []
        for one in self.series:
            holds = all(
                one.labels.get(name, "") == json.loads(value)
                if op == "="
                else re.fullmatch(json.loads(value), one.labels.get(name, ""))
                for name, op, value in [*matchers, *([("__name__", "=", f'"{chosen}"')] if chosen else [])]
            )
            pairs = zip(one.times, one.values, strict=True)
            values = [[t, repr(v)] for t, v in pairs if end - width < t <= end] if holds else []
            if values:
                result.append({"metric": dict(one.labels), "values": values})
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving(series):
    """Its URL, while it serves."""
    handler = type("Here", (Prometheus,), {"series": tuple(series)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
