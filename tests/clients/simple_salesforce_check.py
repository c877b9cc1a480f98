#!/usr/bin/env python3
"""Drives the sandbox's Salesforce with the unmodified PyPI client `simple-salesforce`.

The argument (or one line on stdin) is the ready line of `tabi sandbox --json`. The client speaks only https to
salesforce.com hosts, so a mounted adapter sends its requests to the sandbox instead; nothing else is touched.
Exits with 1 and says what differed as soon as an answer is not the expected one.
"""

import csv
import datetime
import io
import json
import sys
from urllib.parse import urlsplit, urlunsplit

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SFType, SalesforceLogin, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

CHECKED = 0


def same(what, found, expected):
    global CHECKED
    CHECKED += 1
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def true(what, found):
    same(what, bool(found), True)


def refused(what, code, kind, call):
    try:
        call()
    except kind as error:
        text = str(getattr(error, "content", error))
        true(f"{what}: {code} in {text}", code in text or code in str(getattr(error, "code", "")))
        return
    raise AssertionError(f"{what}: was not refused")


class Redirect(HTTPAdapter):
    """Sends https requests for any host to one base URL."""

    def __init__(self, base_url):
        super().__init__()
        self.base = urlsplit(base_url)

    def send(self, request, **options):
        url = urlsplit(request.url)
        request.url = urlunsplit((self.base.scheme, self.base.netloc, url.path, url.query, url.fragment))
        return super().send(request, **options)


def session(base_url):
    made = requests.Session()
    made.mount("https://", Redirect(base_url))
    return made


def private_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def logins(told):
    """Every way in, each used for one call; the last one is returned for the rest."""
    base = told["base_url"]
    names = {"username": told["username"], "password": told["password"]}
    soap = Salesforce(**names, security_token=told["security_token"], session=session(base))
    same("SOAP login", soap.query("SELECT COUNT() FROM User")["done"], True)
    oauth = dict(consumer_key=told["client_id"], consumer_secret=told["client_secret"])
    password = {**names, "password": told["password"] + told["security_token"]}
    by_password = Salesforce(**password, **oauth, session=session(base))
    same("password login", by_password.query("SELECT COUNT() FROM User")["done"], True)
    by_jwt = Salesforce(username=told["username"], consumer_key=told["client_id"], privatekey=private_key(), session=session(base))
    same("JWT login", by_jwt.query("SELECT COUNT() FROM User")["done"], True)
    wrong = {**names, "password": "wrong", "security_token": "wrong", "session": session(base)}
    refused("wrong password by SOAP", "INVALID_LOGIN", SalesforceAuthenticationFailed, lambda: Salesforce(**wrong))
    bad = dict(consumer_key=told["client_id"], consumer_secret="wrong", domain="acme.my", session=session(base))
    refused("wrong client secret", "invalid_client", SalesforceAuthenticationFailed, lambda: SalesforceLogin(**bad))
    client = Salesforce(**oauth, domain="acme.my", session=session(base), version="68.0")
    same("client credentials", client.query("SELECT COUNT() FROM User")["done"], True)
    return client


def queries(sf):
    total = sf.query("SELECT COUNT() FROM Contact")["totalSize"]
    true("seeded contacts", total > 0)
    everything = sf.query_all("SELECT Id, Email, Account.Name FROM Contact ORDER BY Id")
    same("query_all pages", len(everything["records"]), total)
    ids = [row["Id"] for row in everything["records"]]
    same("ordered by id", ids, sorted(ids))
    same("query_all_iter", sum(1 for _ in sf.query_all_iter("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})), total)
    first = sf.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})
    if total > 200:
        same("first page", (first["done"], len(first["records"])), (False, 200))
        more = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
        same("query_more", len(set(r["Id"] for r in first["records"]) & set(r["Id"] for r in more["records"])), 0)
    row = everything["records"][0]
    true("parent", row["Account"]["Name"] and row["Account"]["attributes"]["type"] == "Account")
    same("format_soql", sf.query(format_soql("SELECT Id FROM Contact WHERE Email = {}", row["Email"]))["records"][0]["Id"], row["Id"])
    groups = sf.query("SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry")["records"]
    same("groups add up", sum(group["n"] for group in groups), sf.query("SELECT COUNT() FROM Account")["totalSize"])
    child = sf.query("SELECT Id, (SELECT Id FROM Contacts) FROM Account LIMIT 1")["records"][0]["Contacts"]
    true("children", child is None or child["totalSize"] == len(child["records"]))
    refused("bad SOQL", "MALFORMED_QUERY", SalesforceMalformedRequest, lambda: sf.query("SELECT Id Frm Account"))
    refused("bad column", "INVALID_FIELD", SalesforceMalformedRequest, lambda: sf.query("SELECT Foo FROM Account"))
    refused("bad locator", "INVALID_QUERY_LOCATOR", SalesforceMalformedRequest, lambda: sf.query_more("0r8000000000000AAA-2000"))


def records(sf):
    made = sf.Account.create({"Name": "Quill & Söhne ✓", "NumberOfEmployees": 12, "AnnualRevenue": 1500.5, "Renewal_Date__c": "2027-01-31"})
    same("create", (made["success"], len(made["id"])), (True, 18))
    account = sf.Account.get(made["id"])
    found = [account[name] for name in ("Name", "NumberOfEmployees", "Renewal_Date__c", "IsDeleted", "Industry")]
    same("get", found, ["Quill & Söhne ✓", 12, "2027-01-31", False, None])
    same("update", sf.Account.update(made["id"], {"NumberOfEmployees": 13, "Renewal_Date__c": None}), 204)
    account = sf.Account.get(made["id"])
    same("updated", (account["NumberOfEmployees"], account["Renewal_Date__c"]), (13, None))
    same("upsert creates", sf.Account.upsert("Pendo_Account_Key__c/check-1", {"Name": "Upserted"}), 201)
    same("upsert updates", sf.Account.upsert("Pendo_Account_Key__c/check-1", {"Name": "Upserted again"}), 200)
    same("by external id", sf.Account.get_by_custom_id("Pendo_Account_Key__c", "check-1")["Name"], "Upserted again")
    refused("missing name", "REQUIRED_FIELD_MISSING", SalesforceMalformedRequest, lambda: sf.Account.create({"Industry": "Banking"}))
    refused("unknown field", "INVALID_FIELD", SalesforceMalformedRequest, lambda: sf.Account.update(made["id"], {"Foo__c": 1}))
    refused("too long", "STRING_TOO_LONG", SalesforceMalformedRequest, lambda: sf.Account.update(made["id"], {"BillingCity": "x" * 41}))
    taken = {"Pendo_Account_Key__c": "check-1"}
    refused("taken key", "DUPLICATE_VALUE", SalesforceMalformedRequest, lambda: sf.Account.update(made["id"], taken))
    contact = sf.Contact.create({"LastName": "Li", "AccountId": made["id"], "Email": "li@quill.example"})
    refused("bad e-mail", "INVALID_EMAIL_ADDRESS", SalesforceMalformedRequest, lambda: sf.Contact.update(contact["id"], {"Email": "no"}))
    same("deleted", sf.Account.delete(made["id"]), 204)
    refused("gone", "NOT_FOUND", SalesforceResourceNotFound, lambda: sf.Account.get(made["id"]))
    refused("child gone with it", "NOT_FOUND", SalesforceResourceNotFound, lambda: sf.Contact.get(contact["id"]))
    same("in the recycle bin", sf.query_all(f"SELECT IsDeleted FROM Account WHERE Id = '{made['id']}'", include_deleted=True)["records"][0]["IsDeleted"], True)
    now = datetime.datetime.now(datetime.timezone.utc)
    window = (now - datetime.timedelta(minutes=10), now + datetime.timedelta(minutes=5))
    true("deleted feed", made["id"] in [row["id"] for row in sf.Account.deleted(*window)["deletedRecords"]])
    kept = sf.Account.get_by_custom_id("Pendo_Account_Key__c", "check-1")["Id"]
    true("updated feed", kept in sf.Account.updated(*window)["ids"])
    same("delete by key", sf.restful(f"sobjects/Account/Pendo_Account_Key__c/check-1", method="DELETE"), None)


def collections(sf):
    rows = [{"attributes": {"type": "Account"}, "Name": f"Row {i}"} for i in range(3)] + [{"attributes": {"type": "Account"}}]
    done = sf.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows})
    same("collection create", [row["success"] for row in done], [True, True, True, False])
    same("item error", done[3]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING")
    ids = [row["id"] for row in done[:3]]
    patch = [{"attributes": {"type": "Account"}, "id": one, "Site": "Quay"} for one in ids] + [{"attributes": {"type": "Account"}, "Site": "no id"}]
    rolled = sf.restful("composite/sobjects", method="PATCH", json={"allOrNone": True, "records": patch})
    same("rolled back", rolled[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK")
    same("not id", rolled[3]["errors"][0]["statusCode"], "MISSING_ARGUMENT")
    sf.restful("composite/sobjects", method="PATCH", json={"allOrNone": True, "records": patch[:3]})
    read = sf.restful("composite/sobjects/Account", method="POST", json={"ids": ids + ["001000000000000AAA"], "fields": ["Id", "Site"]})
    same("retrieve", [row and row["Site"] for row in read], ["Quay", "Quay", "Quay", None])
    gone = sf.restful("composite/sobjects", method="DELETE", params={"ids": ",".join(ids), "allOrNone": "true"})
    same("collection delete", [row["success"] for row in gone], [True] * 3)


def bulk(sf):
    inserted = sf.bulk2.Account.insert(records=[{"Name": f"Bulk, \"{i}\"", "Pendo_Account_Key__c": f"bulk-{i}"} for i in range(5)])
    same("bulk insert", (inserted[0]["numberRecordsProcessed"], inserted[0]["numberRecordsFailed"]), (5, 0))
    rows = list(csv.DictReader(io.StringIO(sf.bulk2.Account.get_successful_records(inserted[0]["job_id"]))))
    same("successful rows", sorted(row["Pendo_Account_Key__c"] for row in rows), [f"bulk-{i}" for i in range(5)])
    same("created", {row["sf__Created"] for row in rows}, {"true"})
    changes = [{"Pendo_Account_Key__c": "bulk-1", "Name": "Bulk one", "Renewal_Date__c": "2027-02-01"}]
    changes += [{"Pendo_Account_Key__c": "bulk-9", "Name": "Bulk nine", "Renewal_Date__c": ""}, {"Pendo_Account_Key__c": "bulk-2", "Name": "x", "Renewal_Date__c": "soon"}]
    upserted = sf.bulk2.Account.upsert(records=changes, external_id_field="Pendo_Account_Key__c")
    same("bulk upsert", (upserted[0]["numberRecordsProcessed"], upserted[0]["numberRecordsFailed"]), (3, 1))
    every = sf.bulk2.Account.get_all_ingest_records(upserted[0]["job_id"])
    same("which were created", sorted((row["Pendo_Account_Key__c"], row["sf__Created"]) for row in every["successfulRecords"]), [("bulk-1", "false"), ("bulk-9", "true")])
    failed = every["failedRecords"]
    same("failed row", [row["Pendo_Account_Key__c"] for row in failed], ["bulk-2"])
    true("its error", failed[0]["sf__Error"].startswith("INVALID_FIELD:"))
    same("unprocessed rows", every["unprocessedRecords"], [])
    pages = list(sf.bulk2.Account.query("SELECT Id, Name, Renewal_Date__c FROM Account WHERE Pendo_Account_Key__c LIKE 'bulk-%'", max_records=4, wait=0))
    read = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    same("bulk query", (len(pages), len(read)), (2, 6))
    same("its cells", [row["Renewal_Date__c"] for row in read if row["Name"] == "Bulk one"], ["2027-02-01"])
    deleted = sf.bulk2.Account.delete(records=[{"Id": row["Id"]} for row in read])
    same("bulk delete", (deleted[0]["numberRecordsProcessed"], deleted[0]["numberRecordsFailed"]), (6, 0))


def describes(sf):
    whole = sf.Account.describe()
    fields = {field["name"]: field for field in whole["fields"]}
    same("keys of a field", len(fields["Name"]), 57)
    same("Name", (fields["Name"]["type"], fields["Name"]["length"], fields["Name"]["nillable"]), ("string", 255, False))
    same("Industry", fields["Industry"]["picklistValues"][2]["value"], "Banking")
    same("external id", (fields["Pendo_Account_Key__c"]["externalId"], fields["Pendo_Account_Key__c"]["unique"]), (True, True))
    true("children", "Contacts" in [child["relationshipName"] for child in whole["childRelationships"]])
    true("global", {"Account", "Contact", "JBCXM__UsageData__c"} <= {one["name"] for one in sf.describe()["sobjects"]})
    same("metadata", sf.Account.metadata()["objectDescribe"]["keyPrefix"], "001")
    limits = sf.limits()["DailyApiRequests"]
    true("limits", limits["Max"] > limits["Remaining"])
    true("usage", sf.api_usage["api-usage"].used > 0)
    true("a type by itself", SFType("Contact", sf.session_id, sf.sf_instance, session=sf.session).describe()["name"] == "Contact")


def custom_fields(sf):
    meta = {"label": "Check Measure", "type": "Number", "precision": 18, "scale": 2}
    made = sf.restful("tooling/sobjects/CustomField", method="POST", json={"FullName": "Account.Check_Measure__c", "Metadata": meta})
    true("field made", made["success"])
    refused("still invisible", "INVALID_FIELD", SalesforceMalformedRequest, lambda: sf.query("SELECT Check_Measure__c FROM Account"))
    access = sf.query("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = false LIMIT 1")["records"][0]["Id"]
    grant = {"ParentId": access, "SobjectType": "Account", "Field": "Account.Check_Measure__c", "PermissionsRead": True, "PermissionsEdit": True}
    true("granted", sf.FieldPermissions.create(grant)["success"])
    same("visible", sf.query("SELECT Check_Measure__c FROM Account LIMIT 1")["records"][0]["Check_Measure__c"], None)
    again = lambda: sf.restful("tooling/sobjects/CustomField", method="POST", json={"FullName": "Account.Check_Measure__c", "Metadata": meta})
    refused("twice", "DUPLICATE_DEVELOPER_NAME", SalesforceError, again)
    found = sf.toolingexecute("query/?q=SELECT+Id,DeveloperName+FROM+CustomField+WHERE+DeveloperName='Check_Measure'")
    same("found", found["records"][0]["Id"], made["id"])
    sf.restful(f"tooling/sobjects/CustomField/{made['id']}", method="DELETE")
    refused("gone again", "INVALID_FIELD", SalesforceMalformedRequest, lambda: sf.query("SELECT Check_Measure__c FROM Account"))


def expiry(sf, told):
    """An ended session is told as one; the client logs in again by itself."""
    requests.post(f"{told['base_url']}/services/oauth2/revoke", data={"token": sf.session_id}, timeout=30)
    same("after the session ended", sf.query("SELECT COUNT() FROM User")["done"], True)


def main():
    line = sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline()
    told = json.loads(line)["salesforce"]
    sf = logins(told)
    for part in (queries, records, collections, bulk, describes, custom_fields):
        part(sf)
    expiry(sf, told)
    print(f"simple-salesforce: {CHECKED} checks passed")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(1)
