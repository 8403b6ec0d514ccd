"""A TCP relay that keeps what passes: `up` from the client, `down` from the server."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Relay:
    """Listens on a loopback port and hands each connection on to `target`; `with` starts and ends it.

    It cuts the first ones, `cuts` of them, as it does where nobody listens at the target yet.
    """

    def __init__(self, target: int, cuts: int = 0) -> None:
        self._target = target
        self.cuts = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.up, self.down = bytearray(), bytearray()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.cuts:
                    self.cuts -= 1
                    near.close()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
                except OSError:
                    near.close()  # nobody listens yet; the client tries again
                    continue
                far.settimeout(None)
                self._open += [near, far]
                for source, sink, kept in ((near, far, self.up), (far, near, self.down)):
                    threading.Thread(target=self._copy, args=(source, sink, kept), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                kept += piece
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
