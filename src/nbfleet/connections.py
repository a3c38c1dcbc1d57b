"""One connection of a client, where the server that is embedded loses sight of the request in hand.

A client may send more on a connection before it has its answer. The server then knows only the newest one:
when the connection ends, or what comes next is no HTTP, the one being answered is not told, and its answer is
written to a closed connection, which looks like a fault of ours in the log. Here it is told. Both ports use
this; what a refusal looks like is said by whoever owns the port.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class Connection(HttpToolsProtocol):
    _in_hand: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._in_hand = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        begun = self._let_go()
        if begun:
            self.transport.close()  # A second answer inside of the first one would be taken for a part of it.
        else:
            self.refuse(msg)

    def refuse(self, msg: str) -> None:
        """Answers what is no HTTP and closes."""
        super().send_400_response(msg)

    def _let_go(self) -> bool:
        """Tells the request in hand that nobody listens any more. Whether a part of its answer was sent."""
        cycle = self._in_hand
        if cycle is None or cycle.response_complete:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return cycle.response_started
