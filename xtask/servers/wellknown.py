"""A double of the web server of a mail provider's domain, over TLS: what mail programs ask such a server for, and no more.

    wellknown.py CERTIFICATE KEY FOLDER

Prints `port N`. Files of FOLDER are its pages, read anew for each request; `answers.json` there maps paths to a status and, for
those that send on, to where. Each request is a line of `requests.log` there. It proves nothing about what real providers say.
"""

import http.server
import json
import pathlib
import ssl
import sys

certificate, key, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        shown = {name.lower() for name in self.headers}
        with open(folder / "requests.log", "a") as log:
            log.write(f"{self.command} {self.path} {'authorization' in shown}\n")
        answers = json.loads((folder / "answers.json").read_text()) if (folder / "answers.json").exists() else {}
        page, body = folder / self.path.split("?")[0].strip("/"), b""
        status, to = answers.get(self.path, (200 if page.is_file() else 404, None))
        if status == 200 and page.is_file():
            body = page.read_bytes()
        self.send_response(status)
        if to:
            self.send_header("location", to)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_GET = do_PROPFIND = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"port {server.server_address[1]}", flush=True)
server.serve_forever()
