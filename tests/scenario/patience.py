"""Waiting: for what no event announces, and for what must not take any time."""

import time

# What is answered from memory takes milliseconds. Starting virsh and a busy machine are allowed for; a monitor is not.
AT_ONCE_S = 1.0


def wait_until(condition, timeout_s=20, what="it"):
    """Looks again every few milliseconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
        time.sleep(0.02)


def at_once(call, *arguments):
    """Calls, and expects the answer at once."""
    began = time.monotonic()
    result = call(*arguments)
    took_s = time.monotonic() - began
    assert took_s < AT_ONCE_S, f"{call} took {took_s:.1f} s"
    return result
