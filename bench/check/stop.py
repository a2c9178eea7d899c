"""stop: Ctrl-C, or a signal to end, becomes KeyboardInterrupt, but not between starting a program and holding it.

Without the delay a program could be started and never ended: the interrupt may come before its number is known.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_held = 0
_is_pending = False


def on_signal(_number: int, _frame: object) -> None:
    global _is_pending
    if _held:
        _is_pending = True
    else:
        raise KeyboardInterrupt


def listen() -> None:
    """Also where a shell in the background has SIGINT ignored."""
    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


@contextmanager
def held() -> Iterator[None]:
    """What comes meanwhile is raised at the end."""
    global _held, _is_pending
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if _is_pending and not _held:
            _is_pending = False
            raise KeyboardInterrupt


@contextmanager
def started(command: list[str], how: signal.Signals, **options: object) -> Iterator[subprocess.Popen]:
    """A program in a session of its own, so that Ctrl-C is ours; ended with all it started when we leave it."""
    child = None
    try:
        with held():
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        yield child
    finally:
        if child is not None and child.returncode is None:
            with held():
                end(child, how)


def end(child: subprocess.Popen, how: signal.Signals) -> None:
    """Its number is ours until it has been waited for."""
    try:
        os.killpg(child.pid, how)
    except ProcessLookupError:
        pass
    child.communicate()
