"""Waiting: for what no event announces, for what must not take any time, and for what goes on meanwhile."""

import concurrent.futures
import time

# What is answered from memory takes milliseconds; the rest is allowance for a machine that leaves a process or a thread
# alone for seconds. In these stories whoever waits for the guest in question waits until the story's end, or far longer
# than this, so that no allowance hides a wait.
AT_ONCE_S = 10.0


def wait_until(condition, timeout_s=60, what="it"):
    """Looks again every few milliseconds, and once more when the time is over: who looks may have been kept from it."""
    deadline = time.monotonic() + timeout_s
    while True:
        is_last = time.monotonic() > deadline
        if condition():
            return
        assert not is_last, f"{what} did not happen within {timeout_s} s"
        time.sleep(0.02)


def at_once(call, *arguments):
    """Calls, and expects the answer at once."""
    began = time.monotonic()
    result = call(*arguments)
    took_s = time.monotonic() - began
    assert took_s < AT_ONCE_S, f"{call} took {took_s:.1f} s"
    return result


def meanwhile(call, *arguments):
    """Has somebody else make the call. The future that is returned tells whether and how it ended.

    Who calls something else meanwhile needs another connection: of two threads with one connection libvirt's client (9.0)
    may forget to send the second's call until it hears from the daemon the next time.
    """
    somebody = concurrent.futures.ThreadPoolExecutor(1)
    under_way = somebody.submit(call, *arguments)
    somebody.shutdown(wait=False)
    return under_way
