"""A real DNS server on loopback, over UDP, that answers what a test puts in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.ingress.ingress_site import eventually


class NameServer:
    """`put` and `drop` records; names that have none are NXDOMAIN. It follows CNAMEs for its clients. `refusing` makes
    it answer SERVFAIL, `silent` nothing."""

    def __init__(self) -> None:
        self.port = 0
        self.refusing = False
        self.silent = False
        self.asked: list[tuple[str, str]] = []
        self._records: dict[tuple[str, str], list[str]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def put(self, name: str, kind: str, *values: str) -> None:
        self._records[(name.lower(), kind)] = list(values)

    def drop(self, name: str, kind: str) -> None:
        del self._records[(name.lower(), kind)]

    async def was_asked(self, times: int) -> None:
        """Until so many questions came since `asked` was cleared."""

        async def enough() -> bool:
            return len(self.asked) >= times

        await eventually(enough)

    async def start(self) -> NameServer:
        server = self

        class Protocol(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
                answer = server.answer(data)
                if answer is not None and server._transport is not None:
                    server._transport.sendto(answer, address)

        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def answer(self, data: bytes) -> bytes | None:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if self.silent:
            return None
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA | dns.flags.RA
        if self.refusing:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        if not any(known == name for known, _ in self._records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        followed: set[str] = set()
        while name not in followed:
            followed.add(name)
            for found in (kind, "CNAME"):
                if values := self._records.get((name, found)):
                    reply.answer.append(dns.rrset.from_text(f"{name}.", 5, "IN", found, *_spelled(found, values)))
                    if found != kind:
                        name = values[0].lower()
                    break
        return reply.to_wire()


def _spelled(kind: str, values: Sequence[str]) -> list[str]:
    if kind == "CNAME":
        return [f"{value}." for value in values]
    return [f'"{value}"' for value in values] if kind == "TXT" else list(values)
