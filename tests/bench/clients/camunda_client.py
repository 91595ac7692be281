"""camunda-external-task-client-python3 with its README's settings; MAX_TASKS=100 is the tuned form."""

import os

import measured
from camunda.external_task.external_task import ExternalTask, TaskResult
from camunda.external_task.external_task_executor import ExternalTaskExecutor
from camunda.external_task.external_task_worker import ExternalTaskWorker

settings = {
    "maxTasks": int(os.environ.get("MAX_TASKS", "1")),
    "lockDuration": 10000,
    "asyncResponseTimeout": 5000,
    "retries": 3,
    "retryTimeout": 5000,
    "sleepSeconds": 30,
    "auth_basic": {"username": measured.USER, "password": measured.PASSWORD},
}
if settings["maxTasks"] > 10:  # a batch is worked off one by one, so the last of it waits long
    settings["lockDuration"] = 60000

execute = ExternalTaskExecutor.execute_task


def counted(executor: ExternalTaskExecutor, task: ExternalTask, action) -> TaskResult:
    """Count a task once its answer was sent."""
    result = execute(executor, task, action)
    measured.done()
    return result


def handle(task: ExternalTask) -> TaskResult:
    """Wait and complete."""
    measured.begin()
    measured.work()
    return task.complete({})


ExternalTaskExecutor.execute_task = counted
ExternalTaskWorker(worker_id="client", base_url=measured.URL, config=settings).subscribe(measured.TOPIC, handle)
