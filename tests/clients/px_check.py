"""The PyPI package `tap-gainsightpx` 1.0.8 (a Singer tap), unmodified, against the sandbox: every stream, both styles of pages, windows.

Usage: px_check.py READY, the ready line of `tabi sandbox --json` or a file that holds it. The sandbox must be fresh.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

from requests import Session

ready = sys.argv[1]
sandbox = json.loads(ready if ready.lstrip().startswith("{") else Path(ready).read_text())["px"]
api = Session()
api.headers["X-APTRINSIC-API-KEY"] = sandbox["api_key"]
now = datetime.now(timezone.utc)


def run(days, page_size, **config):
    """What the tap tells of so many days: records by stream, and how it ended."""
    text = "%Y-%m-%dT%H:%M:%SZ"
    settings = {"api_url": f"{sandbox['base_url']}/v1", "api_key": sandbox["api_key"], "page_size": page_size}
    settings |= {"start_date": (now - timedelta(days=days)).strftime(text), "end_date": now.strftime(text)} | config
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(settings, file)
        file.flush()
        tap = Path(sys.executable).with_name("tap-gainsightpx")
        ran = subprocess.run([str(tap), "--config", file.name], capture_output=True, text=True, timeout=600)
    messages = [json.loads(line) for line in ran.stdout.splitlines()]
    return Counter(one["stream"] for one in messages if one["type"] == "RECORD"), ran


def total(path, **params):
    answer = api.get(f"{sandbox['base_url']}/v1/{path}", params=params | {"pageSize": 1})
    answer.raise_for_status()
    return answer.json()["totalHits"]


counts, ran = run(days=3, page_size=200)
assert ran.returncode == 0, ran.stderr[-2000:]
assert counts["users"] == total("users") > 1000, counts
assert counts["accounts"] == total("accounts") == 200, counts
assert counts["engagements"] == 13 and counts["segments"] == 3 and counts["features"] == 18, counts
window = f"date>={(now - timedelta(days=3)).strftime('%Y-%m-%dT%H:%M:%SZ')};date<={now.strftime('%Y-%m-%dT%H:%M:%SZ')}"
feeds = {
    "session_events": "events/session",
    "page_view_events": "events/pageView",
    "feature_match_events": "events/feature_match",
    "segment_match_events": "events/segment_match",
    "identify_events": "events/identify",
    "engagement_view_events": "events/engagementView",
    "custom_events": "events/custom",
}
for stream, path in feeds.items():
    assert counts[stream] == total(path, filter=window), (stream, counts[stream])
# The tap asks for answers without dates: the last day.
assert abs(counts["survey_responses"] - total("survey/responses")) <= 1, counts
assert all(counts[stream] > 0 for stream in ("session_events", "page_view_events", "feature_match_events")), counts

_, ran = run(days=200, page_size=500)
assert ran.returncode != 0 and "400" in ran.stderr, ran.stderr[-2000:]
_, ran = run(days=1, page_size=500, api_key="wrong")
assert ran.returncode != 0 and "401" in ran.stderr, ran.stderr[-2000:]
print("tap-gainsightpx reads the sandbox:", dict(counts))
