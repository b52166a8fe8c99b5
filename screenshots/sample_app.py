"""The app in the pictures: answers after a while, writes a line for each request, and fails where it is told to."""

import os
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        took = random.lognormvariate(3, 0.6)
        hoard.append(bytearray(20_000))
        sum(number * number for number in range(int(took * 400)))
        if "coupon" in self.path:
            print(f"WARN  coupon {self.path[-4:]} has expired, order goes on without it")
        elif "export" in self.path:
            print("ERROR export failed: the bucket does not answer, trying again in 30 s", file=sys.stderr)
        else:
            print(f"INFO  GET {self.path} 200 {took:.0f} ms")
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, form, *values):
        pass


hoard = []
if "DATABASE_URL" in os.environ:
    print("INFO  starting worker 0.9.2")
    print("ERROR cannot reach the database at db:5432: connection refused", file=sys.stderr)
    time.sleep(1)
    sys.exit(1)
print("INFO  listening on :8000")
server = ThreadingHTTPServer(("", 8000), Handler)
server.serve_forever()
