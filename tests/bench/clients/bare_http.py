"""The ceiling of Python: http.client with kept connections, THREADS threads that only complete, nothing else.

No lock keeper, no retries, no log, no ledger: what a worker could do at most if it cared for nothing.
"""

import http.client
import json
import os
import queue
import threading
import time
from urllib.parse import urlsplit

import measured

ADDRESS = urlsplit(measured.URL)
HEADERS = {"Authorization": measured.BASIC, "Content-Type": "application/json"}
THREADS = int(os.environ.get("THREADS", "8"))
waiting: queue.Queue[str] = queue.Queue()


class Line:
    """One kept connection; the engine closes it after a hundred requests."""

    def __init__(self) -> None:
        self.connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=30)

    def post(self, path: str, body: bytes) -> bytes:
        """Send one request and return the answer's body."""
        self.connection.request("POST", ADDRESS.path + path, body, HEADERS)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status < 300, content
        return content


def complete() -> None:
    """Complete what was fetched."""
    line, body = Line(), json.dumps({"workerId": "bare"}).encode()
    while True:
        task = waiting.get()
        measured.work()
        line.post(f"/external-task/{task}/complete", body)
        measured.done()


for _ in range(THREADS):
    threading.Thread(target=complete, daemon=True).start()
fetcher = Line()
while True:
    while waiting.qsize() > 50:
        time.sleep(0.001)
    topic = {"topicName": measured.TOPIC, "lockDuration": 30000, "variables": []}
    ask = {"workerId": "bare", "maxTasks": 100, "asyncResponseTimeout": 5000, "topics": [topic]}
    found = json.loads(fetcher.post("/external-task/fetchAndLock", json.dumps(ask).encode()))
    if found:
        measured.begin()
    for row in found:
        waiting.put(row["id"])
