"""PyPI `simple-salesforce`, unmodified, against the sandbox: login, query with paging, CRUD, collections, Bulk 2.0, describe.

The library speaks https only: an adapter of its own `requests` session sends what it asks to the sandbox's address instead.
Usage: salesforce_client.py READY.json, the ready line of `tabi sandbox --json`.
"""

import json
import sys
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceMalformedRequest, SalesforceResourceNotFound

with open(sys.argv[1]) as ready:
    sandbox = json.load(ready)["salesforce"]


class ToSandbox(HTTPAdapter):
    """Sends every request to the sandbox, whatever host it names."""

    def send(self, request, **kwargs):
        base, asked = urlsplit(sandbox["base_url"]), urlsplit(request.url)
        request.url = urlunsplit((base.scheme, base.netloc, asked.path, asked.query, ""))
        return super().send(request, **kwargs)


def session():
    session = requests.Session()
    session.mount("https://", ToSandbox())
    return session


# Login: by password over SOAP, by OAuth client credentials, and with a wrong password.
by_password = Salesforce(
    username=sandbox["username"], password=sandbox["password"], security_token=sandbox["security_token"], session=session()
)
assert by_password.query("SELECT COUNT() FROM Account")["totalSize"] == 200
sf = Salesforce(consumer_key=sandbox["client_id"], consumer_secret=sandbox["client_secret"], domain="acme.my", session=session(), version="62.0")
try:
    Salesforce(username=sandbox["username"], password="wrong", security_token="", session=session())
except SalesforceAuthenticationFailed as refused:
    assert "INVALID_LOGIN" in str(refused), refused
else:
    raise AssertionError("a wrong password was let in")

# Query: all pages, relationships, aggregates, an error in the vendor's words.
contacts = sf.query_all("SELECT Id, Email, Account.Name FROM Contact ORDER BY Id")
assert contacts["totalSize"] == len(contacts["records"]) == 2000, contacts["totalSize"]
assert contacts["records"][0]["Account"]["Name"]
first = sf.query("SELECT Id FROM Contact")
assert first["totalSize"] == 2000 and (first["done"] or "nextRecordsUrl" in first)
assert len(list(sf.query_all_iter("SELECT Id FROM Account WHERE Name LIKE '%a%' LIMIT 7"))) == 7
groups = sf.query("SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry")["records"]
assert sum(group["n"] for group in groups) == 200
try:
    sf.query("SELECT Nope FROM Account")
except SalesforceMalformedRequest as refused:
    assert refused.content[0]["errorCode"] == "INVALID_FIELD", refused.content
else:
    raise AssertionError("an unknown field was found")

# Describe.
described = sf.Account.describe()
names = {field["name"] for field in described["fields"]}
assert {"Id", "Name", "Health_Score__c", "Pendo_numberofvisitors_last30d__c"} <= names
assert any(found["name"] == "Contact" for found in sf.describe()["sobjects"])

# Create, read, update, upsert, delete.
made = sf.Account.create({"Name": "Client check", "Industry": "Technology"})
assert made["success"], made
account = sf.Account.get(made["id"])
assert account["Name"] == "Client check"
assert sf.Account.update(made["id"], {"Health_Score__c": 71.5}) == 204
assert sf.Account.get(made["id"])["Health_Score__c"] == 71.5
assert sf.Account.upsert("Pendo_Account_Key__c/check-1", {"Name": "Upserted"}) == 201
assert sf.Account.upsert("Pendo_Account_Key__c/check-1", {"Name": "Upserted again"}) in (200, 204)
assert sf.Account.delete(made["id"]) == 204
try:
    sf.Account.get(made["id"])
except SalesforceResourceNotFound:
    pass
else:
    raise AssertionError("a deleted account was found")

# Collections: two hundred at once, one of them wrong.
some = [row["Id"] for row in sf.query("SELECT Id FROM Account ORDER BY Id LIMIT 200")["records"]]
changes = [{"attributes": {"type": "Account"}, "id": id, "Churn_Risk__c": "Low"} for id in some]
changes[3] = {"attributes": {"type": "Account"}, "id": some[3], "Name": ""}
answers = sf.restful("composite/sobjects", method="PATCH", json={"allOrNone": False, "records": changes})
assert [answer["success"] for answer in answers].count(False) == 1 and not answers[3]["success"], answers[3]
assert answers[3]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING", answers[3]

# Bulk API 2.0: ingest and query.
results = sf.bulk2.Account.update(records=[{"Id": id, "Churn_Risk__c": "High"} for id in some])
assert sum(job["numberRecordsProcessed"] for job in results) == len(some), results
assert sum(job["numberRecordsFailed"] for job in results) == 0, results
rows = "".join(sf.bulk2.Account.query("SELECT Id, Churn_Risk__c FROM Account WHERE Churn_Risk__c = 'High'")).strip().splitlines()
assert len(rows) - 1 >= len(some), len(rows)

print("salesforce: login, query, CRUD, collections, Bulk 2.0 and describe work with the unmodified client")
