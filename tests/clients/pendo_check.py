"""The PyPI package `pendo` 0.0.5, unmodified, against the sandbox: aggregation, metadata, segments, track events, refusals.

Usage: pendo_check.py READY, the ready line of `tabi sandbox --json` or a file that holds it. The sandbox must be fresh.

The package takes only JSON objects for answers; what the vendor answers as a bare list is read through the session it is built on.
"""

import json
import sys
import time
from pathlib import Path

from pendo import Pendo
from pendo.exc import PendoException
from requests import Session

ready = sys.argv[1]
sandbox = json.loads(ready if ready.lstrip().startswith("{") else Path(ready).read_text())["pendo"]
host = sandbox["base_url"]
pendo = Pendo(sandbox["integration_key"], url=host)


def aggregate(*pipeline, client=pendo):
    body = {"response": {"mimeType": "application/json"}, "request": {"requestId": "check", "pipeline": list(pipeline)}}
    return client.post("api/v1/aggregation", json=body).data["results"]


def listed(path):
    answer = Session.request(pendo, "GET", f"{host}/api/v1/{path}")
    answer.raise_for_status()
    return answer.json()


def refused(status, call):
    try:
        call()
    except PendoException as refusal:
        assert f"status {status}:" in str(refusal), refusal
    else:
        raise AssertionError(f"not refused with {status}")


def check_keys():
    verified = pendo.get("api/v1/token/verify").data
    assert verified["valid"] is True and verified["writeAccess"] is True, verified
    refused(403, lambda: Pendo("wrong", url=host).get("api/v1/token/verify"))
    refused(403, lambda: Pendo("wrong", url=host).post("api/v1/aggregation", json={}))


def check_accounts():
    """Every account once, sorted; pages by key join to the whole; a count says the same."""
    source = {"source": {"accounts": {"appId": 'expandAppIds("*")'}}}
    keep = {"select": {"accountId": "accountId", "name": "metadata.agent.name", "lastvisit": "metadata.auto.lastvisit"}}
    accounts = aggregate(source, {"identified": "accountId"}, keep, {"sort": ["accountId"]})
    ids = [account["accountId"] for account in accounts]
    assert len(ids) == len(set(ids)) >= 10 and ids == sorted(ids), len(ids)
    assert all(account["name"] for account in accounts)
    assert aggregate(source, {"count": None}) == [{"count": len(ids)}]
    joined, last = [], ""
    while True:
        page = aggregate(source, {"sort": ["accountId"]}, {"filter": f'accountId>"{last}"'}, {"limit": 37})
        if not page:
            break
        joined += [account["accountId"] for account in page]
        last = joined[-1]
    assert joined == ids
    return ids


def check_usage(ids):
    """The vendor's own report pipeline, against the same sums made here from the rows it is made of."""
    window = {"period": "dayRange", "first": "now()", "count": -30}
    source = {"source": {"events": {"appId": 'expandAppIds("*")'}, "timeSeries": window}}
    fields = [
        {"activeVisitors": {"count": "visitorId"}},
        {"daysActive": {"count": "day"}},
        {"numMinutes": {"sum": "numMinutes"}},
        {"numEvents": {"sum": "numEvents"}},
        {"lastDay": {"max": "day"}},
    ]
    report = aggregate(source, {"identified": "accountId"}, {"group": {"group": ["accountId"], "fields": fields}}, {"sort": ["-activeVisitors"]})
    assert report and {row["accountId"] for row in report} <= set(ids)
    visitors = [row["activeVisitors"] for row in report]
    assert visitors == sorted(visitors, reverse=True) and visitors[0] > 0
    one = report[0]
    rows = aggregate(source, {"filter": f'accountId == "{one["accountId"]}"'})
    assert len({row["visitorId"] for row in rows}) == one["activeVisitors"]
    assert len({row["day"] for row in rows}) == one["daysActive"] <= 30
    assert sum(row["numMinutes"] for row in rows) == one["numMinutes"]
    assert sum(row["numEvents"] for row in rows) == one["numEvents"]
    assert max(row["day"] for row in rows) == one["lastDay"]
    seen = aggregate({"source": {"visitors": {"identified": True}}}, {"sort": ["visitorId"]}, {"filter": 'visitorId>""'}, {"limit": 50})
    assert len(seen) == 50 and all("@" in visitor["visitorId"] for visitor in seen)
    return [visitor["visitorId"] for visitor in seen]


def check_refused_pipelines():
    refused(400, lambda: aggregate({"source": {"events": None}}))
    refused(400, lambda: aggregate({"source": {"accounts": None}}, {"levitate": {}}))
    refused(422, lambda: pendo.post("api/v1/aggregation", json={"request": {}}))


def check_metadata(ids):
    """A field is created, set for several accounts at once, read back by value, by record, and by aggregation."""
    schema = pendo.get("api/v1/metadata/schema/account").data
    assert "auto" in schema and "agent" in schema and "tier_of_check" not in schema.get("custom", {})
    made = [{"name": "tier_of_check", "displayname": "Tier", "type": "string"}, {"name": "seats_of_check", "displayname": "Seats", "type": "number"}]
    pendo.post("api/v1/metadata/schema/account/custom", json=made)
    schema = pendo.get("api/v1/metadata/schema/account").data
    assert schema["custom"]["tier_of_check"]["DisplayName"] == "Tier", schema["custom"]
    values = [{"accountId": account, "values": {"tier_of_check": "gold", "seats_of_check": seats}} for seats, account in enumerate(ids[:5])]
    answer = pendo.post("api/v1/metadata/account/custom/value", json=[*values, {"accountId": "nobody", "values": {"tier_of_check": "x"}}]).data
    assert (answer["total"], answer["updated"], answer["failed"], answer["missing"]) == (6, 5, 1, ["nobody"]), answer
    account = pendo.get(f"api/v1/account/{ids[3]}").data
    custom = account["metadata"]["custom"]
    assert (custom["tier_of_check"], custom["seats_of_check"]) == ("gold", 3), custom
    found = aggregate(
        {"source": {"accounts": None}},
        {"filter": 'metadata.custom.tier_of_check == "gold" && metadata.custom.seats_of_check >= 2'},
        {"select": {"accountId": "accountId"}},
        {"sort": ["accountId"]},
    )
    assert [row["accountId"] for row in found] == ids[2:5], found
    refused(404, lambda: pendo.get("api/v1/account/nobody"))


def check_segments(visitors):
    """An uploaded segment restricts a pipeline to its members, also after members came and went."""
    segment = pendo.post("api/v1/segment/upload", json={"name": "Check", "visitors": visitors[:3]}).data["segmentId"]
    assert pendo.get(f"api/v1/segment/{segment}").data["name"] == "Check"
    assert any(one["id"] == segment for one in listed("segment?createdByApi=true"))

    def members():
        rows = aggregate({"source": {"visitors": None}}, {"segment": {"id": segment}}, {"select": {"visitorId": "visitorId"}}, {"sort": ["visitorId"]})
        return [row["visitorId"] for row in rows]

    assert members() == sorted(visitors[:3])
    patch = [{"op": "add", "path": "/visitors", "value": visitors[3:5]}, {"op": "remove", "path": "/visitors", "value": visitors[:1]}]
    answer = pendo.patch(f"api/v1/segment/{segment}/visitor", json={"patch": patch}).data
    assert [one["status"] for one in answer["multistatus"]] == [200, 200], answer
    assert members() == sorted(visitors[1:5])
    pendo.delete(f"api/v1/segment/{segment}")
    refused(404, lambda: pendo.get(f"api/v1/segment/{segment}"))


def check_track(ids, visitors):
    """Track events go to the collector with its own secret and are usage from then on."""
    collector = Pendo(sandbox.get("track_key", sandbox["integration_key"]), url=host)
    now = int(time.time() * 1000)
    event = {"event": "Check passed", "visitorId": visitors[0], "accountId": ids[0], "timestamp": now, "properties": {"round": 1}}
    for _ in range(2):
        answer = collector.track(event)
        assert (answer.status_code, answer.data) == (200, {}), answer
    refused(403, lambda: Pendo("wrong", url=host).track(event))
    kinds = [kind for kind in listed("tracktype?expand=*") if kind["name"] == "Check passed"]
    assert len(kinds) == 1, kinds
    window = {"period": "dayRange", "first": now - 86_400_000, "last": "now()"}
    source = {"source": {"trackEvents": {"trackTypeId": kinds[0]["id"], "appId": 'expandAppIds("*")'}, "timeSeries": window}}
    rows = aggregate(source, {"group": {"group": ["visitorId"], "fields": {"events": {"sum": "numEvents"}}}})
    assert rows == [{"visitorId": visitors[0], "events": 2}], rows


def check_lists():
    for name in ["page", "feature", "guide", "report"]:
        found = listed(f"{name}?expand=*")
        assert found and all(one["id"] and one["name"] for one in found), name


check_keys()
accounts = check_accounts()
people = check_usage(accounts)
check_refused_pipelines()
check_metadata(accounts)
check_segments(people)
check_track(accounts, people)
check_lists()
print("pendo: keys, aggregation, metadata, segments, track events and lists work with the unmodified client")
