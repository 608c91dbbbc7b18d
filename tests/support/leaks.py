# SPDX-License-Identifier: Apache-2.0
"""Looking for a secret where it must not be."""

import base64
import threading
from pathlib import Path


def forms_of(secret):
    """The secret as bytes, and the base64 text of it wherever it starts in an encoded stream.

    So 'user:secret' in base64 is found too, and the secret in a JSON text in base64.
    """
    raw = secret.encode()
    forms = [raw]
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        # The characters at both ends depend on the neighbours as well.
        start = offset + 1 if offset else 0
        end = (offset + len(raw)) * 8 // 6
        forms.append(encoded[start:end])
    return [*forms, *[form.translate(bytes.maketrans(b"+/", b"-_")) for form in forms[1:]]]


def holds(content, forms):
    content = content.encode() if isinstance(content, str) else content
    return any(form in content for form in forms)


def files_that_hold(directory, forms):
    """Of all files below the directory, those that hold a form of the secret."""
    paths = Path(directory).rglob("*")
    files = [path for path in paths if path.is_file() and not path.is_symlink()]
    assert files, f"no files in {directory}"
    return [path for path in files if holds(path.read_bytes(), forms)]


class ProcessWatch:
    """Looks again and again at what everybody may see of all processes, until stopped."""

    def __init__(self, forms, control):
        """control: a text that is seen in some process when the watch works."""
        self.forms = forms
        self.control = control.encode()
        self.rounds = 0
        self.saw_control = False
        self.found = set()
        self.programs = set()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.ended.set()
        self.thread.join(10)

    def _run(self):
        while not self.ended.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                self._look_at(process)
            self.rounds += 1

    def _look_at(self, process):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue  # it has ended
            if name == "cmdline":
                self.programs.add(Path(content.split(b"\0")[0].decode(errors="replace")).name)
            self.saw_control = self.saw_control or self.control in content
            if holds(content, self.forms):
                self.found.add(f"{process.name}/{name}: {content!r}")
