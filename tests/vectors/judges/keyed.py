# /// script
# dependencies = ["boxsdk==3.14.0", "coinbase-commerce==1.0.1", "easypost==10.7.0", "elevenlabs==2.78.0", "finch-api==2.9.1", "gidgethub==6.0.0", "gocardless_pro==3.22.0", "line-bot-sdk==3.27.0", "lithic==0.133.0", "modern-treasury==1.80.0", "onfido-python==6.2.0", "openai==3.57.0", "paddle-python-sdk==1.16.1", "polar-sdk==1.0.2", "pusher==3.3.4", "pyairtable==3.5.1", "razorpay==2.0.1", "resend==2.52.0", "retell-sdk==6.2.13", "slack_sdk==3.48.0", "squareup==46.0.0.20260916", "standardwebhooks==1.1.0", "stripe==16.1.0", "svix==2.9.1", "viberbot==1.0.12", "workos==10.8.0"]
# ///
"""Senders that share a key, judged by their own libraries for Python and for Node; those without one by their documentation."""
import base64
import contextlib
import datetime
import io
import pathlib
import re
import sys
import time
import warnings
from unittest import mock

from asking import node_says
from keyed_by import cases, python
from keyed_by.senders import NOW, SENDERS
from paddle_billing.Notifications import Verifier
from vector import judged, vector

HERE = pathlib.Path(__file__)
PINNED = dict(re.findall(r'"([\w-]+)==([\w.]+)"', HERE.read_text()))
PINNED_NODE = dict(re.findall(r'"(@?[\w/-]+)@([\w.]+)"', HERE.with_suffix(".mjs").read_text()))
DOCUMENTED = "documented steps, as read on 2026-11-23"


def joined(headers):
    """As a server hands them to a library: one value a name."""
    return {name.lower(): ", ".join([value] if isinstance(value, str) else value).strip(" \t") for name, value in headers.items()}


def python_says(sender, case, secret, url):
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            said = python.LIBRARIES[sender.python](joined(case.headers), case.body, secret, url)
        return said is not False and (said is None or bool(said)), ""
    except ImportError:
        raise
    except Exception as error:
        return type(error).__name__ == "JSONDecodeError", repr(error)


class Stopped(datetime.datetime):
    """What libraries hold as `datetime`, with a clock that stands."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)

    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(NOW, datetime.UTC).replace(tzinfo=None)


@contextlib.contextmanager
def stopped_clock():
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(time, "time", lambda: float(NOW)))
        for name, module in list(sys.modules.items()):
            held = vars(module) if "webhook" in name else {}
            if held.get("datetime") is datetime.datetime:
                stack.enter_context(mock.patch.object(module, "datetime", Stopped))
        stack.enter_context(mock.patch.dict(Verifier.verify.__globals__, time=time.time))
        yield


def main():
    asked, lines = [], []
    with stopped_clock():
        for sender in SENDERS:
            for case in cases.of(sender):
                tolerance = sender.age if sender.timed else None
                line = vector(sender.scheme, case.name.lower(), case.headers, case.body, keys=case.secrets, config=sender.config,
                              tolerance_s=tolerance)
                verdicts = {}
                if sender.python:
                    said = [python_says(sender, case, secret, line["url"]) for secret in case.secrets]
                    verdicts[f"{sender.python} {PINNED[sender.python]} (PyPI)"] = any(accepts for accepts, _ in said)
                if sender.node:
                    for secret in case.secrets:
                        asked.append({"asks": sender.node, "headers": joined(case.headers), "secret": secret, "url": line["url"],
                                      "body_base64": base64.b64encode(case.body).decode(), "now_unix": NOW})
                lines.append((sender, case, line, verdicts))
    answers = iter(node_says("keyed", asked))
    for sender, case, line, verdicts in lines:
        if sender.node:
            said = [next(answers)["accepts"] for _ in case.secrets]
            verdicts[f"{sender.node} {PINNED_NODE[sender.node]} (npm)"] = any(said)
        tell(case, line, verdicts)


def tell(case, line, verdicts):
    """A line for those who agree with one another."""
    if not verdicts:
        judged(line, DOCUMENTED, case.accept, doc=True)
    for verdict in sorted(set(verdicts.values())):
        libraries = [name for name, said in verdicts.items() if said == verdict]
        mine = line if len(set(verdicts.values())) == 1 else line | {"id": f"{line['id']}/{libraries[0].split('(')[1][:-1].lower()}"}
        differs = verdict != case.accept
        judged(mine, ", ".join(libraries), verdict, (case.because or "UNEXPLAINED") if differs else None)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
