"""A mail server that delivers nowhere: aiosmtpd, keeping every message with its envelope as files.

usage: sink.py FOLDER

Prints `port N` once it listens on loopback. Every accepted message becomes FOLDER/NNNN.eml, the bytes as they were
received, and FOLDER/NNNN.json with sender and receivers. The name before the @ of a receiver makes it misbehave:
refuse    refused at RCPT
reject    refused after the message was handed over
lost      accepted and stored, but the connection breaks before the answer
slow      answered only after FOLDER/answer exists
"""

import asyncio
import json
import pathlib
import sys

from aiosmtpd.smtp import SMTP

FOLDER = pathlib.Path(sys.argv[1])


class Sink:
    def __init__(self):
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse@"):
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        names = {address.split("@")[0] for address in envelope.rcpt_tos}
        if "reject" in names:
            return "554 5.7.1 not this one"
        self.keep(envelope)
        if "lost" in names:
            server.transport.abort()
        while "slow" in names and not (FOLDER / "answer").exists():
            await asyncio.sleep(0.02)
        return "250 2.0.0 kept"

    def keep(self, envelope):
        name = f"{self.count:04}"
        self.count += 1
        about = {"from": envelope.mail_from, "to": envelope.rcpt_tos}
        (FOLDER / f"{name}.json").write_text(json.dumps(about))
        # Written last and moved into place: whoever sees the message sees it whole.
        fresh = FOLDER / f"{name}.new"
        fresh.write_bytes(envelope.original_content)
        fresh.rename(FOLDER / f"{name}.eml")


async def main():
    sink = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, enable_SMTPUTF8=True, data_size_limit=64 * 1024 * 1024), "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
