"""Put on PYTHONPATH, this sets the clock of a whole Python process wrong by SKEW_SECONDS; waits stay as they are.

A system library that does the same for any program (libfaketime) breaks the sleep of Python's own threads.
"""

import os
import time

import time_machine

if "SKEW_SECONDS" in os.environ:
    time_machine.travel(time.time() + float(os.environ["SKEW_SECONDS"]), tick=True).start()
