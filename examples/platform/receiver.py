"""Takes the requests that Driftloop posts (retraining.webhook), and has start.py start a job for each.

    TRAININGS_SECRET=whsec_... python3 receiver.py PORT

start.py lies beside this file and has `start(request)`, which the pages in docs/training/ show for
several platforms. It gets the same request again after a crash, so it should name the job after
request["id"]. An exception there is answered with 500, and Driftloop asks again.
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

from start import start

SECRET = base64.b64decode(os.environ["TRAININGS_SECRET"].removeprefix("whsec_"))
MAX_AGE_SECONDS = 300
MAX_BYTES = 1_000_000


def is_signed(headers, body):
    """Standard Webhooks 1.0.0: HMAC-SHA256 of id, time and body."""
    sent = headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > MAX_AGE_SECONDS:
        return False
    signed = f"{headers.get('webhook-id', '')}.{sent}.".encode() + body
    digest = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one, f"v1,{digest}") for one in given)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length) if length <= MAX_BYTES else b""
        if not is_signed(self.headers, body):
            return self.answer(401, "the signature is missing, wrong or old")
        try:
            start(json.loads(body))
        except Exception as error:
            return self.answer(500, f"the job was not started: {error}")
        self.answer(202, "started")

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Receiver)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()
