"""pycamunda as its usage page shows it: fetch ten, loop, complete; plus the account that this engine asks for."""

import measured
import pycamunda.externaltask

fetch = pycamunda.externaltask.FetchAndLock(
    url=measured.URL, worker_id="loop", max_tasks=10, async_response_timeout=5000
)
fetch.add_topic(name=measured.TOPIC, lock_duration=10000)
fetch.auth = (measured.USER, measured.PASSWORD)
while True:
    for task in fetch():
        measured.begin()
        measured.work()
        complete = pycamunda.externaltask.Complete(url=measured.URL, id_=task.id_, worker_id="loop")
        complete.auth = (measured.USER, measured.PASSWORD)
        complete()
        measured.done()
