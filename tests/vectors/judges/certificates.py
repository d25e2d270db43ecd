# /// script
# dependencies = ["paypalrestsdk==1.13.3", "pyOpenSSL==23.2.0", "cryptography==41.0.7", "requests==2.34.2"]
# ///
"""Senders whose requests name a certificate: Amazon SNS, judged by sns-validator (in certificates.mjs), and PayPal, judged by
paypalrestsdk. Certificates are made here; what vouches for them is left out, as it is in a recorded request."""

import base64
import binascii
import contextlib
import datetime
import io
import json
import os
import subprocess
import tempfile
import types

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from paypalrestsdk import notifications

from vector import BODIES, NOT_UTF8, NOW, b64, judged, vector

KEY, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))


def certificate(key, name, first=-4000, last=4000, hosts=()):
    at = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(named).issuer_name(named).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(at + datetime.timedelta(days=first)).not_valid_after(at + datetime.timedelta(days=last))
    if hosts:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def sign(text, key=KEY, digest=hashes.SHA256()):
    return b64(key.sign(text, padding.PKCS1v15(), digest))


# --- Amazon SNS
SNS = "sns-validator 0.3.5 (npm)"
CERT_URL = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0123abcd.pem"
SNS_CERTIFICATE, OTHER_CERTIFICATE = certificate(KEY, "sns.amazonaws.com"), certificate(OTHER, "sns.amazonaws.com")
TOPIC = "arn:aws:sns:us-west-2:123456789012:MyTopic"
NOTIFICATION = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
CONFIRMATION = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
PIN = ("reject", "certificates come from Amazon's own hosts, under the names that they have there")
STRICT = ("reject", "a document that two readers could read in two ways is refused")
SPELLING = ("reject", "base64 has one spelling, with its padding and nothing else in it")


def message(type_="Notification", **changes):
    made = {
        "Type": type_,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": "Hello from SNS!",
        "Timestamp": "2025-10-09T08:53:20.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERT_URL,
    }
    if type_ != "Notification":
        made |= {
            "Token": "2336412f37f",
            "SubscribeURL": f"https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37f",
        }
    else:
        made |= {"UnsubscribeURL": f"https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={TOPIC}:c9135db0"}
    return {name: value for name, value in (made | changes).items() if value is not ...}


def signed(made, key=KEY, keys=None):
    keys = keys or (NOTIFICATION if made.get("Type") == "Notification" else CONFIRMATION)
    text = "".join(f"{name}\n{made[name]}\n" for name in keys if made.get(name) is not None)
    digest = hashes.SHA1() if made.get("SignatureVersion") == "1" else hashes.SHA256()
    return made | {"Signature": sign(text.encode(), key, digest)}


lines, reasons, bodies = [], [], []


def sns(case, made, ours=None, body=None, at=CERT_URL, topics=TOPIC, content_type="text/plain; charset=UTF-8"):
    body = json.dumps(made).encode() if body is None else body
    config = {"cert_url_content": {CERT_URL: "public_keys[0]", at: "public_keys[0]"}, "topic_arns": [topics]}
    headers = {"Content-Type": content_type, "x-amz-sns-message-type": "Notification"}
    lines.append(vector("aws_sns", case, headers, body, public=[SNS_CERTIFICATE], config=config))
    reasons.append(ours)
    bodies.append(body)


for version in ["1", "2"]:
    sns(f"v{version}", signed(message(SignatureVersion=version)))
    sns(f"v{version}_subject", signed(message(SignatureVersion=version, Subject="My First Message")))
    sns(f"v{version}_other_message", signed(message(SignatureVersion=version)) | {"Message": "Hello from SNS"})
    sns(f"v{version}_other_key", signed(message(SignatureVersion=version), OTHER))
sns("version_changed_to_1", signed(message()) | {"SignatureVersion": "1"})
sns("version_changed_to_2", signed(message(SignatureVersion="1")) | {"SignatureVersion": "2"})
for version in ["3", "", "02", 2, None]:
    sns(f"version_{version}", signed(message()) | {"SignatureVersion": version})
for name, text in [
    ("json", '{"default":"x","n":[1,2]}'),
    ("umlaut", "Jürgen \U0001f980"),
    ("lines", "one\ntwo\n"),
    ("crlf", "one\r\ntwo"),
    ("like_fields", "x\nMessageId\n1\n"),
    ("empty", ""),
    ("quotes", "\"'\\/"),
    ("controls", "\t\b\f"),
    ("separators", "\u2028\u2029"),
    ("big", "x" * 5000),
    ("blanks", "  a  "),
]:
    made = signed(message(Message=text))
    sns(f"message_{name}", made)
    sns(f"message_{name}_raw_letters", made, body=json.dumps(made, ensure_ascii=False, indent=2).encode())
sns("slashes_escaped", None, body=json.dumps(signed(message(Message="a/b"))).replace("/", "\\/").encode())
sns("subject_umlaut", signed(message(Subject="Grüße")))
sns("subject_null", signed(message()) | {"Subject": None})
sns("subject_added", signed(message()) | {"Subject": "added"})
sns("subject_removed", {name: value for name, value in signed(message(Subject="x")).items() if name != "Subject"})
sns(
    "subject_with_a_line",
    signed(message(Subject="a\nTimestamp\n2025")),
    ("reject", "with a second value of several lines one message could be parted into another"),
)
for name in ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SigningCertURL", "SignatureVersion"]:
    sns(f"no_{name}", {key: value for key, value in signed(message()).items() if key != name})
    sns(f"{name}_changed", signed(message()) | {name: "x"})
    sns(f"{name}_null", signed(message()) | {name: None})
    if name not in ["Signature", "SigningCertURL", "SignatureVersion", "Type"]:
        sns(f"{name}_of_lower_case", {key.lower() if key == name else key: value for key, value in signed(message()).items()})
sns("unsigned_member_changed", signed(message()) | {"UnsubscribeURL": "https://evil.example/"})
sns("attributes", signed(message()) | {"MessageAttributes": {"a": {"Type": "String", "Value": "b"}}})
sns("number_as_message", signed(message(Message=5)), ("reject", "a message is a text, as Amazon sends it"))
sns("confirmation", signed(message("SubscriptionConfirmation")))
sns("confirmation_other_url", signed(message("SubscriptionConfirmation")) | {"SubscribeURL": "https://evil.example/"})
sns("confirmation_other_token", signed(message("SubscriptionConfirmation")) | {"Token": "1"})
sns(
    "confirmation_no_token",
    {key: value for key, value in signed(message("SubscriptionConfirmation")).items() if key != "Token"},
)
DOCUMENTED = ("accept", "this library leaves out the token, which Amazon's documentation signs")
sns("unsubscribed", signed(message("UnsubscribeConfirmation")), DOCUMENTED)
sns("notification_as_confirmation", signed(message()) | {"Type": "SubscriptionConfirmation"})
for name, url in [
    ("http", CERT_URL.replace("https", "http")),
    ("china", "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"),
    ("other_region", CERT_URL.replace("us-west-2", "eu-central-1")),
    ("gov", CERT_URL.replace("us-west-2", "us-gov-west-1")),
    ("evil", "https://sns.us-west-2.amazonaws.com.evil.example/SimpleNotificationService-1.pem"),
    ("user", "https://sns.us-west-2.amazonaws.com@evil.example/x.pem"),
    ("port", "https://sns.us-west-2.amazonaws.com:443/SimpleNotificationService-1.pem"),
    ("other_port", "https://sns.us-west-2.amazonaws.com:8443/SimpleNotificationService-1.pem"),
    ("no_pem", "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-1"),
    ("query", "https://sns.us-west-2.amazonaws.com/x?y=.pem"),
    ("bucket", "https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-1.pem"),
    ("s3", "https://s3.amazonaws.com/sns.us-west-2.amazonaws.com/x.pem"),
    ("other_name", "https://sns.us-west-2.amazonaws.com/Other-1.pem"),
    ("upper", "https://SNS.us-west-2.amazonaws.com/SimpleNotificationService-1.pem"),
    ("fragment", "https://evil.example#sns.us-west-2.amazonaws.com/x.pem"),
    ("deep", "https://sns.us-west-2.amazonaws.com/a/SimpleNotificationService-1.pem"),
]:
    pinned = name not in ["china", "other_region", "gov"]
    sns(f"cert_{name}", signed(message(SigningCertURL=url)), PIN if pinned else None, at=url)
sns("cert_unknown", signed(message()) | {"SigningCertURL": CERT_URL.replace("0123", "9999")})
good = signed(message())
sns("signature_unpadded", good | {"Signature": good["Signature"].rstrip("=")}, SPELLING)
sns("signature_with_line", good | {"Signature": good["Signature"][:76] + "\n" + good["Signature"][76:]}, SPELLING)
sns("signature_cut", good | {"Signature": b64(base64.b64decode(good["Signature"])[:-1])})
sns("signature_list", good | {"Signature": [good["Signature"]]}, ("reject", "a signature is a text"))
text = json.dumps(good)
sns("member_twice_first_good", None, body=(text[:-1] + ',"Message":"evil"}').encode())
sns("member_twice_last_good", None, STRICT, body=('{"Message":"evil",' + text[1:]).encode())
sns("bom", None, body=b"\xef\xbb\xbf" + text.encode())
sns("blanks_around", None, body=b" \n" + text.encode() + b"\n ")
sns("something_behind", None, body=text.encode() + b"x")
sns("in_a_list", None, body=b"[" + text.encode() + b"]")
sns("not_utf8", None, body=text.encode().replace(b"Hello", b"H\xe9llo"))
sns("empty_body", None, body=b"")
sns("raw_delivery", None, body=b"Hello from SNS!")
sns(
    "other_topic",
    signed(message(TopicArn=TOPIC + "2")),
    ("reject", "anybody can have a topic; the policy names those that count"),
)
sns("json_type", signed(message()), content_type="application/json")

with tempfile.NamedTemporaryFile("w", suffix=".json") as known:
    urls = {url: SNS_CERTIFICATE for line in lines for url in line["config"]["cert_url_content"]}
    json.dump(urls, known)
    known.flush()
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "certificates.mjs")
    shown = "\n".join(b64(body) for body in bodies)
    told = subprocess.run(["node", script, known.name], input=shown, capture_output=True, text=True, check=True).stdout.split()
for line, reason, accepts in zip(lines, reasons, told, strict=True):
    judged(line, SNS, accepts == "true", reason)

# --- PayPal
PAYPAL = "paypalrestsdk 1.13.3 (PyPI), without its chain of trust"
HOST = "messageverificationcerts.paypal.com"
PAYPAL_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-df8cd2d5"
WEBHOOK = "8PT597110X687430LKGECATA"
EVENT = b'{"id":"WH-1","event_type":"PAYMENT.SALE.COMPLETED","resource":{"amount":{"total":"7.47","currency":"USD"}}}'
notifications.WebhookEvent._verify_certificate_chain = classmethod(lambda cls, cert: True)
PIN_PAYPAL = (
    "reject",
    "the library fetches from anywhere; certificates come from PayPal, under the names that they have there",
)
LATER = ("reject", "a certificate is good from a moment on")
NAMED = ("reject", "a certificate of PayPal is not one for its messages")
FIELDS = ["id", "at", "url", "algorithm", "signature"]


def crc(body):
    return str(binascii.crc32(body) & 0xFFFFFFFF)


def paypal(
    case,
    body=EVENT,
    ours=None,
    name=HOST,
    cert=None,
    text=None,
    key=KEY,
    url=PAYPAL_URL,
    drop=(),
    twice=(),
    scheme="paypal",
    **changes,
):
    shown = {
        "id": "b2384410-f8d2-11e4-8bf3-77339302725b",
        "at": "2025-10-09T08:53:20Z",
        "url": url,
        "algorithm": "SHA256withRSA",
    }
    text = "|".join([shown["id"], shown["at"], WEBHOOK, crc(body)]) if text is None else text
    shown = shown | {"signature": sign(text.encode(), key)} | changes
    cert = cert or certificate(KEY, name)
    names = {
        "id": "Paypal-Transmission-Id",
        "at": "Paypal-Transmission-Time",
        "signature": "Paypal-Transmission-Sig",
        "url": "Paypal-Cert-Url",
        "algorithm": "Paypal-Auth-Algo",
    }
    headers = {}
    for field, value in shown.items():
        if field not in drop:
            headers[names[field]] = [value, value] if field in twice else value
    config = {"webhook_id": WEBHOOK, "cert_url_content": {url: "public_keys[0]"}}
    line = vector(scheme, case, headers | {"Content-Type": "application/json"}, body, public=[cert], config=config)
    notifications.requests.get = lambda at: types.SimpleNamespace(text=cert)
    quiet = contextlib.redirect_stdout(io.StringIO())
    try:
        if drop or twice:
            raise ValueError("an application has no such field to hand over, or two")
        with quiet:
            accepts = notifications.WebhookEvent.verify(
                shown["id"], shown["at"], WEBHOOK, body.decode(), shown["url"], shown["signature"], shown["algorithm"]
            )
    except Exception:
        accepts = False
    judged(line, PAYPAL, bool(accepts), ours)


for name, body in BODIES.items():
    if name not in NOT_UTF8:
        paypal(f"body_{name}", body)
good = "|".join(["b2384410-f8d2-11e4-8bf3-77339302725b", "2025-10-09T08:53:20Z", WEBHOOK, crc(EVENT)])
paypal("other_body", EVENT + b"\n", text=good)
paypal("other_id", text=good, id="b2384410-f8d2-11e4-8bf3-77339302725c")
paypal("other_time", text=good, at="2025-10-09T08:53:21Z")
paypal("other_webhook", text=good.replace(WEBHOOK, "1XX597110X687430LKGECATB"))
paypal("other_key", key=OTHER)
paypal("crc_in_hex", text=good.replace(crc(EVENT), f"{int(crc(EVENT)):x}"))
paypal("bar_moved", text=good, id="b2384410-f8d2-11e4-8bf3", at="77339302725b|2025-10-09T08:53:20Z")
for name in ["SHA1withRSA", "SHA512withRSA", "sha256withrsa", "none", ""]:
    paypal(f"algorithm_{name}", algorithm=name)
paypal(
    "sha1_signed",
    signature=sign(good.encode(), digest=hashes.SHA1()),
    algorithm="SHA1withRSA",
    ours=("reject", "SHA-1 is for nobody to choose; PayPal sends SHA256withRSA"),
)
for name, cert in [
    ("expired", certificate(KEY, HOST, last=-1)),
    ("not_yet", certificate(KEY, HOST, first=1)),
    ("other_name", certificate(KEY, "evil.example")),
    ("name_behind", certificate(KEY, HOST + ".evil.example")),
    ("name_without_dot", certificate(KEY, "evilpaypal.com")),
    ("other_key", certificate(OTHER, HOST)),
    ("with_host", certificate(KEY, HOST, hosts=[HOST])),
    ("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ("with_others", certificate(KEY, HOST) + certificate(OTHER, "DigiCert")),
]:
    paypal(f"cert_{name}", cert=cert, ours=LATER if name == "not_yet" else None)
paypal("cert_www", name="www.paypal.com", ours=NAMED)
paypal("cert_of_other_hosts", cert=certificate(KEY, HOST, hosts=["www.paypal.com"]), ours=NAMED)
paypal("cert_in_capitals", name=HOST.upper(), ours=NAMED)
for name, url in [
    ("sandbox", "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"),
    ("http", PAYPAL_URL.replace("https", "http")),
    ("evil", "https://evil.example/cert.pem"),
    ("user", "https://api.paypal.com@evil.example/v1/notifications/certs/x"),
    ("other_path", "https://api.paypal.com/v1/other/x"),
    ("www", PAYPAL_URL.replace("api.", "www.")),
    ("query", PAYPAL_URL + "?x"),
    ("dots", "https://api.paypal.com/v1/notifications/certs/../x"),
    ("port", PAYPAL_URL.replace(".com/", ".com:443/")),
    ("upper", PAYPAL_URL.replace("api", "API")),
]:
    paypal(f"url_{name}", url=url, ours=PIN_PAYPAL if name != "sandbox" else None)
signature = sign(good.encode())
paypal("signature_unpadded", signature=signature.rstrip("="), ours=SPELLING)
paypal("signature_cut", signature=b64(base64.b64decode(signature)[:-1]))
paypal("signature_empty", signature="")
paypal("signature_hex", signature=base64.b64decode(signature).hex())
for field in FIELDS:
    paypal(f"no_{field}", drop=[field])
    paypal(f"{field}_twice", twice=[field])
SANDBOX_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
SANDBOX = "messageverificationcerts.sandbox.paypal.com"
MIXED = ("reject", "what the sandbox vouches for is nothing to a live route, nor the other way round")
paypal("good", scheme="paypal-sandbox", name=SANDBOX, url=SANDBOX_URL)
paypal("live", scheme="paypal-sandbox", ours=MIXED)
paypal("live_name", scheme="paypal-sandbox", url=SANDBOX_URL, ours=MIXED)
paypal("sandbox", name=SANDBOX, url=SANDBOX_URL, ours=MIXED)
