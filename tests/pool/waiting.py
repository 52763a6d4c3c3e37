"""Waiting for a condition, however long the machine takes: nobody sleeps for as long as something usually takes. Where a
process says what is waited for, Process.wait_for (processes.py) hears it at once; here is what must be asked for."""
import time

WAIT_S = 120  # Until a condition that should hold soon counts as a failure.


def until(what, seconds=WAIT_S, every_s=0.05):
    """The first true value of `what()`, which is asked again and again; after `seconds` the last, false one."""
    deadline = time.monotonic() + seconds
    while not (value := what()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return value


def eventually(what, words, seconds=WAIT_S):
    """The first true value of `what()`; an AssertionError of these words when there is none in time."""
    if value := until(what, seconds):
        return value
    raise AssertionError(words)
