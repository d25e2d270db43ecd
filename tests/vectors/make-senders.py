#!/usr/bin/env python3
"""Vectors of senders of which no recorded request is at hand, made from their documentation with Python's own hmac and
hashlib, and with nothing of Hookwarden. Prints lines for senders.jsonl; `confirmed_by` is `doc`.

    tests/vectors/make-senders.py            # prints them
    tests/vectors/make-senders.py --check    # are they those that stand in senders.jsonl?
"""
import base64
import hashlib
import hmac
import json
import pathlib
import sys

NOW = 1760000000
BODY = b'{"id":"evt_0001","type":"invoice.paid","data":{"amount":1999}}'


def mac(key, text):
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def vector(scheme, case, expect, headers, secrets=(), url=None, body=BODY, tolerance_s=None):
    return {
        "id": f"made.{scheme}/{case}",
        "provider": scheme,
        "scheme": scheme,
        "case": case,
        "secrets": list(secrets),
        "method": "POST",
        "url": url or f"https://hooks.example.com/in/{scheme}",
        "headers": {"Content-Type": "application/json", **headers},
        "body_base64": base64.b64encode(body).decode(),
        "now_unix": NOW,
        "tolerance_s": tolerance_s,
        "expect": expect,
        "confirmed_by": "doc",
    }


def shown(scheme, make, secret):
    """A secret that is shown as it is: it and no other."""
    yield vector(scheme, "right", "accept", make(secret), [secret])
    yield vector(scheme, "wrong", "reject", make(secret[:-1] + "x"), [secret])
    yield vector(scheme, "missing", "reject", {}, [secret])


def in_url(scheme, secret):
    for case, expect, query in [
        ("right", "accept", f"?token={secret}"),
        ("wrong", "reject", f"?token={secret}x"),
        ("missing", "reject", ""),
        ("twice", "reject", f"?token={secret}&token={secret}"),
    ]:
        yield vector(scheme, case, expect, {}, [secret], f"https://hooks.example.com/in/{scheme}{query}")


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def all_vectors():
    for scheme in ["authorization-token", "auth0", "braze", "cloudevents", "marketo", "okta"]:
        yield from shown(scheme, lambda secret: {"Authorization": secret}, "a configured value 1")
    for scheme in ["chargebee", "datadog", "iterable", "postmark"]:
        yield from shown(scheme, basic, "hook:pass:word-1")
    for scheme in ["url-token", "mailchimp", "gumroad", "azure-event-grid", "klarna"]:
        yield from in_url(scheme, "0f8fad5bd9cb469fa16570867728950e")

    # Nobody signs these; without a policy that takes them so, nothing is believed.
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    yield vector("mollie-classic", "unsigned", "reject", form, [], body=b"id=tr_5B8cwPMGnU6qLbRvo7qEZo")
    soap = {"Content-Type": "text/xml"}
    yield vector("salesforce-outbound", "unsigned", "reject", soap, [], body=b"<Envelope/>")
    yield vector("mollie-classic", "forged", "reject", form, [], body=b"id=../../v2/methods")

    # https://developer.revolut.com/docs/guides/manage-accounts/webhooks/verify-the-payload-signature
    secret, time = "wsk_r59a4HfWVAKycbCaNO1RvgCJec02gRd8", str(NOW * 1000)
    good = "v1=" + mac(secret, b"v1." + time.encode() + b"." + BODY)
    bad = "v1=" + mac(secret + "x", b"v1." + time.encode() + b"." + BODY)
    for case, expect, signature, at in [
        ("one", "accept", good, time),
        ("two_keys", "accept", f"{bad},{good}", time),
        ("other_key", "reject", bad, time),
        ("other_version", "reject", good.replace("v1=", "v2="), time),
        ("other_time", "reject", good, str(NOW * 1000 + 1)),
    ]:
        headers = {"Revolut-Signature": signature, "Revolut-Request-Timestamp": at}
        yield vector("revolut", case, expect, headers, [secret], tolerance_s=300)

    # keyId/SHA256/<hex>, with commas between them; the only key of such a line is called 0 by `hookwarden verify`.
    secret = "worldpay-secret-1"
    good, bad = mac(secret, BODY), mac(secret, BODY + b"\n")
    for case, expect, signature in [
        ("one", "accept", f"0/SHA256/{good}"),
        ("second_key", "accept", f"7/SHA256/{bad}, 0/SHA256/{good}"),
        ("another_keys_id", "reject", f"7/SHA256/{good}"),
        ("other_digest", "reject", f"0/SHA1/{good}"),
        ("other_body", "reject", f"0/SHA256/{bad}"),
    ]:
        yield vector("worldpay", case, expect, {"Event-Signature": signature}, [secret])

    # <milliseconds>,<hex>[,<hex>]
    secret = "recurly-secret-1"
    good, bad = mac(secret, time.encode() + b"." + BODY), mac(secret + "x", time.encode() + b"." + BODY)
    for case, expect, signature in [
        ("one", "accept", f"{time},{good}"),
        ("two_keys", "accept", f"{time},{bad},{good}"),
        ("other_key", "reject", f"{time},{bad}"),
        ("no_time", "reject", good),
        ("other_time", "reject", f"{NOW * 1000 + 1},{good}"),
    ]:
        yield vector("recurly", case, expect, {"recurly-signature": signature}, [secret], tolerance_s=300)


if __name__ == "__main__":
    made = [json.dumps(vector) for vector in all_vectors()]
    if sys.argv[1:] == ["--check"]:
        kept = (pathlib.Path(__file__).parent / "senders.jsonl").read_text().splitlines()
        missing = [line for line in made if line not in kept]
        sys.exit("\n".join(missing) or None)
    print("\n".join(made))
