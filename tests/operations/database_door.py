"""A door between a process and PostgreSQL that a test can shut: for the process the database is away."""

import contextlib
import selectors
import socket
import threading
from pathlib import Path


class DatabaseDoor:
    """A socket in a folder of its own that passes everything on to the server's. `shut` cuts all lines and refuses new ones."""

    def __init__(self, folder: Path, server: str, port: str = "5432") -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._server = f"{server}/.s.PGSQL.{port or 5432}"
        self._path = folder / ".s.PGSQL.5432"
        self._listener: socket.socket | None = None
        self._lines: set[socket.socket] = set()
        self.open()

    def open(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        if self._listener is not None:
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for line in list(self._lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            there.connect(self._server)
            self._lines |= {here, there}
            threading.Thread(target=self._pass_on, args=(here, there), daemon=True).start()

    def _pass_on(self, here: socket.socket, there: socket.socket) -> None:
        with selectors.DefaultSelector() as ready, contextlib.suppress(OSError):
            ready.register(here, selectors.EVENT_READ, there)
            ready.register(there, selectors.EVENT_READ, here)
            open_ = True
            while open_:
                for key, _ in ready.select():
                    source, target = key.fileobj, key.data
                    assert isinstance(source, socket.socket)
                    data = source.recv(1 << 16)
                    if not data:
                        open_ = False
                    else:
                        target.sendall(data)
        for line in (here, there):
            self._lines.discard(line)
            line.close()
