# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of its own."""

import errno
import fcntl
import os
import re
import struct
import subprocess
import termios
import threading

from .waiting import wait_for

# What moves the cursor, erases or colours; and what a terminal takes as a text, such as a title.
ESCAPE_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
)


class Terminal:
    """To be used in a 'with', which ends a program that a failed test left running."""

    def __init__(self, command, env=None, cwd=None, columns=100):
        self.ours, theirs = os.openpty()
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.raw = b""
        self.process = subprocess.Popen(
            [str(word) for word in command], env=env, cwd=cwd,
            stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=_make_controlling_terminal,
        )
        os.close(theirs)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def text(self):
        """What was shown, without what commands the terminal."""
        return ESCAPE_SEQUENCE.sub(b"", self.raw).decode(errors="replace").replace("\r\n", "\n")

    @property
    def echoes(self):
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.ours)[3] & termios.ECHO)

    def wait_for_text(self, text, timeout=15):
        def is_there():
            assert self.process.poll() is None or text in self.text, self.text
            return text in self.text

        wait_for(is_there, f"'{text}' on the terminal, which shows: {self.text}", timeout)

    def type(self, text):
        os.write(self.ours, text.encode())

    def finish(self, timeout=60):
        """Waits for the program's end; returns its exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not end; the terminal shows: {self.text}") from None
        self.reader.join(10)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)
        os.close(self.ours)

    def _read(self):
        while True:
            try:
                piece = os.read(self.ours, 65536)
            except OSError as error:
                if error.errno == errno.EIO:  # nobody has the other end open any more
                    return
                raise
            if not piece:
                return
            self.raw += piece


def _make_controlling_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
