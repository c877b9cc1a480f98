"""Python's own smtplib against the sandbox's mail server, and the inbox as a person would look for the mail there."""

import json
import smtplib
import sys
import urllib.request
from email.message import EmailMessage
from urllib.parse import urlparse

sandbox = json.loads(sys.argv[1])["mail"]
server = urlparse(sandbox["smtp"])
sender = "CS team <cs@acme.example>"


def fetch(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(sandbox["inbox_url"] + path, data=data)) as answer:
        return json.load(answer)


def connected():
    client = smtplib.SMTP(server.hostname, server.port, timeout=20)
    client.ehlo_or_helo_if_needed()
    return client


def letter(to, subject, message_id):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"], message["Message-ID"] = sender, to, subject, message_id
    message["List-Unsubscribe"] = "<https://acme.example/unsubscribe/1>"
    message.set_content("Hello\n.\n..dots\n")
    message.add_alternative('<p>Hello</p><a href="https://acme.example/?a=1&amp;b=2">go</a>', subtype="html")
    return message


def check_extensions():
    with connected() as client:
        for name in ["size", "8bitmime", "smtputf8", "pipelining", "enhancedstatuscodes"]:
            assert client.has_extn(name), name
        assert client.login("anybody", "anything")[0] == 235
        assert client.noop()[0] == 250 and client.rset()[0] == 250
        assert client.vrfy("ana@customer.example")[0] == 252


def check_delivery():
    with connected() as client:
        assert client.send_message(letter("Zoë <zoe@customer.example>", "Grüße aus Köln", "<1@acme.example>")) == {}
        assert client.send_message(letter("zoe@customer.example", "Grüße aus Köln", "<1@acme.example>")) == {}
    first, second = fetch("/inbox?copies=true&to=zoe@customer.example")
    assert first["subject"] == "Grüße aus Köln" and first["from"] == "cs@acme.example" and first["from_name"] == "CS team", first
    assert first["text"].replace("\r\n", "\n") == "Hello\n.\n..dots\n", first["text"]
    assert first["links"] == ["https://acme.example/?a=1&b=2"], first["links"]
    assert first["headers"]["List-Unsubscribe"] == "<https://acme.example/unsubscribe/1>"
    assert first["duplicate_of"] is None and second["duplicate_of"] == first["id"]


def check_refusals():
    with connected() as client:
        refused = client.send_message(letter("ana@customer.example, bounce@customer.example", "x", "<2@acme.example>"))
        assert list(refused) == ["bounce@customer.example"] and refused["bounce@customer.example"][0] == 550, refused
        try:
            client.sendmail("cs@acme.example", ["bounce@customer.example"], "x")
            raise AssertionError("nobody is there")
        except smtplib.SMTPRecipientsRefused:
            pass
        code, said = client.docmd("MAIL", "FROM:<cs@acme.example> SIZE=99999999")
        assert code == 552 and b"5.3.4" in said


def check_faults():
    fetch("/_sandbox/faults", {"faults": "mail:503@1"})
    with connected() as client:
        try:
            client.sendmail("cs@acme.example", ["ana@customer.example"], "x")
            raise AssertionError("the server is away")
        except (smtplib.SMTPSenderRefused, smtplib.SMTPServerDisconnected) as error:
            assert getattr(error, "smtp_code", 421) == 421, error
    fetch("/_sandbox/faults", {"faults": ""})


def check_events():
    kinds = {(event["type"], event["recipient"]) for event in fetch("/events")["events"]}
    assert ("delivered", "zoe@customer.example") in kinds and ("delivered", "ana@customer.example") in kinds, kinds


check_extensions()
check_delivery()
check_refusals()
check_faults()
check_events()
print("mail: extensions, delivery, refusals, faults and events work with Python's own client")
