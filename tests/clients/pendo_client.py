"""The PyPI package `pendo`, unmodified, against the sandbox: aggregation, metadata, and what a wrong key gets.

Usage: pendo_client.py READY.json, the ready line of `tabi sandbox --json`.
"""

import json
import sys

from pendo import Pendo
from pendo.exc import PendoException

with open(sys.argv[1]) as ready:
    sandbox = json.load(ready)["pendo"]

pendo = Pendo(sandbox["integration_key"], url=sandbox["base_url"])


def aggregate(pipeline):
    body = {"response": {"mimeType": "application/json"}, "request": {"pipeline": pipeline}}
    return pendo.post("api/v1/aggregation", json=body).data["results"]


# Every account, sorted; then the busiest of the last 30 days.
accounts = aggregate([{"source": {"accounts": None}}, {"select": {"accountId": "accountId"}}, {"sort": ["accountId"]}])
ids = [row["accountId"] for row in accounts]
assert len(ids) == 200, len(ids)
assert ids == sorted(ids) and len(set(ids)) == 200

usage = aggregate([
    {"source": {"events": None, "timeSeries": {"first": "now()", "count": -30, "period": "dayRange"}}},
    {"group": {"group": ["accountId"], "fields": [{"events": {"sum": "numEvents"}}, {"visitors": {"count": "visitorId"}}]}},
    {"sort": ["-events"]},
    {"limit": 5},
])
assert len(usage) == 5 and usage[0]["events"] >= usage[4]["events"] > 0, usage
assert all(row["accountId"] in set(ids) for row in usage)

# Metadata: a field is created, written for one account, and read back.
pendo.post("api/v1/metadata/schema/account/custom/tier", json={"Type": "string", "DisplayName": "Tier", "isHidden": False})
schema = pendo.get("api/v1/metadata/schema/account").data
assert "tier" in schema["custom"], schema.keys()
done = pendo.post("api/v1/metadata/account/custom/value", json=[{"accountId": ids[0], "values": {"tier": "gold"}}]).data
assert done["updated"] == 1 and done["failed"] == 0, done
account = pendo.get(f"api/v1/account/{ids[0]}").data
assert account["metadata"]["custom"]["tier"] == "gold", account

# Guides and segments are lists; a wrong key is refused.
assert isinstance(pendo.get("api/v1/guide").data, list)
assert isinstance(pendo.get("api/v1/segment").data, list)
try:
    Pendo("wrong", url=sandbox["base_url"]).get("api/v1/guide")
except PendoException as refused:
    assert "403" in str(refused), refused
else:
    raise AssertionError("a wrong key was let in")

print("pendo: aggregation, metadata, guides, segments and refusal work with the unmodified client")
