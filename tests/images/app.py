"""A small app for tests. GET / tells its VERSION and host; its environment makes it misbehave.

BOOT_SECONDS: wait before listening; EXIT_CODE: print two lines and exit at once; HEALTH_FAILS=1: /health answers 503;
EAT_MEMORY=1: allocate until killed. GET /slow?seconds answers after that long; GET /sick makes /health fail from
then on; GET /log?lines writes that many lines; /socket echoes; GET /crash exits with code 3.
"""

import base64
import hashlib
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

STATE = {"sick": os.environ.get("HEALTH_FAILS") == "1"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        status, text = 200, "ok\n"
        if parts.path == "/":
            text = f"{os.environ.get('VERSION', 'none')} {os.uname().nodename}\n"
        elif parts.path == "/health":
            status, text = (503, "sick\n") if STATE["sick"] else (200, "well\n")
        elif parts.path == "/slow":
            time.sleep(float(parts.query or 1))
        elif parts.path == "/sick":
            STATE["sick"] = True
        elif parts.path == "/log":
            for number in range(int(parts.query or 1)):
                print(f"INFO line {number}")
            print("ERROR on stderr", file=sys.stderr)
        elif parts.path == "/socket":
            self.echo_frames()
            return
        elif parts.path == "/crash":
            os._exit(3)
        else:
            status, text = 404, "no such page\n"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo_frames(self):
        """A WebSocket (RFC 6455) that sends back short text frames."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            mask, data = self.rfile.read(4), self.rfile.read(head[1] & 127)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
            self.wfile.write(bytes([head[0], len(data)]) + data)
            if head[0] & 15 == 8:
                return

    def log_message(self, form, *values):
        pass


def main():
    print("INFO booting")
    if os.environ.get("EXIT_CODE"):
        print("ERROR cannot read its settings", file=sys.stderr)
        sys.exit(int(os.environ["EXIT_CODE"]))
    if os.environ.get("EAT_MEMORY"):
        hoard = []
        while True:
            hoard.append(bytearray(b"x") * (4 << 20))
    time.sleep(float(os.environ.get("BOOT_SECONDS", "0")))
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler)
    server.daemon_threads = False
    # Finish what was begun, as an app should when it is asked to end.
    signal.signal(signal.SIGTERM, lambda *_: Thread(target=server.shutdown).start())
    print("INFO listening")
    server.serve_forever()
    server.server_close()


main()
