# SPDX-License-Identifier: Apache-2.0
"""Judges calls by the moving window of Python's limits package: GET /CALLS/SECONDS/KEY is answered 200, or 429 past so many calls of the key."""

import asyncio
import sys

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

storage = MemoryStorage()  # the limiter holds no reference of its own
limiter = MovingWindowRateLimiter(storage)


class Judge(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.read = transport, b""

    def data_received(self, data):
        self.read += data
        while b"\r\n\r\n" in self.read:
            request, _, self.read = self.read.partition(b"\r\n\r\n")
            _, calls, seconds, key = request.split(b" ")[1].decode().split("/")
            taken = limiter.hit(RateLimitItemPerSecond(int(calls), int(seconds)), key)
            status = b"200 OK" if taken else b"429 Too Many Requests"
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")


async def main():
    server = await asyncio.get_running_loop().create_server(Judge, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


asyncio.run(main())
