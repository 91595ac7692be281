"""Mutants of what a running order is promised: start, kill, outage, a year later, and what the commands say."""

from __future__ import annotations

from mutants.mutant import Mutant

F, K, P, U = "F fence", "K effect key", "P people's queue", "U uniqueness"
ENGINE, SAID, DATES = "engine: nothing acknowledged is lost", "commands: one sentence each", "calendar"
BROKEN = "tests/engine/test_worker_trouble.py"
LOCKS = "tests/engine/test_worker_locks.py"
EMBEDDED = "tests/unit/test_engine_embedded.py"
CALENDAR = "tests/unit/test_calendar.py"
# The file is refused in two places: before the calendar is made of it, and after.
REFUSED = "        if self.problems:\n            raise CalendarError(self.problems)\n"
CALENDAR_MADE = (
    "        calendar = WorkingCalendar(zone, days, hours, overrides, frozenset(published))\n"
    "        self.useless_short_days(calendar)\n"
)
STAFF = "tests/unit/test_staff.py"

PROMISES = (
    Mutant(
        "short-days",
        DATES,
        "short days before holidays",
        "orders/worktime.py",
        "full if kind is Kind.FULL else _shortened(full)",
        "full",
        (f"{CALENDAR}::test_moved_and_short_days",),
    ),
    Mutant(
        "moved-days",
        DATES,
        "days off and working days that were moved",
        "orders/worktime.py",
        "        if day in plan.days_off:\n            return Kind.OFF, plan.days_off[day]\n",
        "",
        (f"{CALENDAR}::test_a_year_has_the_official_norm_of_days_and_hours",),
    ),
    Mutant(
        "plant-zone",
        DATES,
        "the plant's zone: what a day is, the machine does not decide",
        "orders/worktime.py",
        "return utc(now).astimezone(self.zone).date()",
        "return utc(now).astimezone().date()",
        (f"{CALENDAR}::test_the_machines_zone_does_not_matter",),
    ),
    Mutant(
        "write-delay",
        ENGINE,
        "WRITE_DELAY=0 in the database's address",
        "engine/embedded.py",
        ';WRITE_DELAY=0"\n',
        '"\n',
        (f"{EMBEDDED}::test_the_jvm_gets_its_settings_and_no_others",),
    ),
    Mutant(
        "years",
        "history: files open a year later",
        "the time for which ended orders are kept",
        "engine/deploy.py",
        "1 if definition.key in SHORT_LIVED else ttl_days",
        "1",
        ("tests/acceptance/test_chain_outages.py::test_files_of_a_closed_order_open_a_year_later",),
    ),
    Mutant(
        "first-step",
        U,
        "the route's first step, which takes the key",
        "bpmn/custom-furniture-order.bpmn",
        'sourceRef="StartEvent_OrderRequested" targetRef="ServiceTask_RegisterOrder"',
        'sourceRef="StartEvent_OrderRequested" targetRef="ServiceTask_JudgeRequest"',
        ("tests/acceptance/test_chain_orders.py::test_the_same_start_twice_at_once_is_one_order",),
    ),
    Mutant(
        "card-key-killed",
        K,
        "the card's xmlId, with a worker killed after creating the card",
        "bitrix_sync/compare.py",
        '"xmlId": wish.xml_id, ',
        "",
        ("tests/acceptance/test_chain_kills.py::test_killed_after_each_creating_call[at the card]",),
    ),
    Mutant(
        "one-name",
        F,
        "the worker's name of its own, with two workers on one host",
        "workers/runtime.py",
        'return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4()}"',
        "return socket.gethostname()",
        (f"{LOCKS}::test_a_stopped_worker_cannot_answer_for_its_successor",),
    ),
    Mutant(
        "keeper-loop",
        F,
        "the lock keeper, with two workers at one slow task",
        "workers/runtime.py",
        "        self._holdings.keep()\n",
        "",
        (f"{LOCKS}::test_slow_handler_keeps_its_lock",),
    ),
    Mutant(
        "catch-all",
        P,
        "the failure table for what is no Exception",
        "workers/execution.py",
        "        except BaseException as error:  # the failure table",
        "        except Exception as error:  # the failure table",
        (f"{BROKEN}::test_loops_survive_what_is_no_exception[error1]",),
    ),
    Mutant(
        "attempts",
        P,
        "counting an attempt before it runs",
        "workers/execution.py",
        "crashed(held.task.topic, attempt)",
        "crashed(held.task.topic, 1)",
        (f"{BROKEN}::test_task_that_killed_its_process_five_times_is_put_aside",),
    ),
    Mutant(
        "attempts-forgotten",
        P,
        "counting anew after an answer: the operator's retry works",
        "workers/execution.py",
        "self.attempts.forget(task.id)",
        "pass",
        (f"{BROKEN}::test_task_that_killed_its_process_five_times_is_put_aside",),
    ),
    Mutant(
        "all-settings",
        SAID,
        "naming every bad setting at once",
        "app/settings.py",
        "problems += [_problem(item) for item in error.errors()]",
        "problems += [_problem(item) for item in error.errors()[:1]]",
        ("tests/unit/test_settings.py::test_all_problems_at_once_without_the_values",),
    ),
    Mutant(
        "settings-exit",
        SAID,
        "exit code 2 for bad settings",
        "app/errors.py",
        'return 2, "Настройки неверны:',
        'return 1, "Настройки неверны:',
        ("tests/acceptance/test_commands_plain.py::test_bad_settings_are_said_all_at_once",),
    ),
    Mutant(
        "port",
        SAID,
        "the look at the port before the start",
        "engine/embedded.py",
        "if self._fixed and _taken(self.port):",
        "if False:",
        (f"{EMBEDDED}::test_a_taken_port_is_said_before_anything_starts",),
    ),
    Mutant(
        "old-java",
        SAID,
        "the look at Java's version",
        "engine/java.py",
        "if version is not None and version >= NEEDED:",
        "if version is not None:",
        (f"{EMBEDDED}::test_an_old_java_is_named_with_the_package",),
    ),
    Mutant(
        "no-java",
        SAID,
        "the sentence when no Java is there",
        "engine/java.py",
        '    raise StartError(\n        f"Java не найдена,',
        '    raise FileNotFoundError(\n        f"Java не найдена,',
        (f"{EMBEDDED}::test_no_java_names_the_package",),
    ),
    Mutant(
        "no-maven",
        SAID,
        "the look for Maven before the build",
        "Makefile",
        "@command -v mvn >/dev/null || ",
        "@true || ",
        ("tests/unit/test_make.py::test_a_missing_program_is_named_with_its_package[mvn-maven]",),
    ),
    Mutant(
        "full-disk",
        SAID,
        "the look at the free space before the start",
        "engine/embedded.py",
        "    if free < _LEAST_FREE:",
        "    if False:",
        (f"{EMBEDDED}::test_a_full_disk_is_said",),
    ),
    Mutant(
        "folder",
        SAID,
        "the try whether the folder can be written",
        "engine/embedded.py",
        "    prepare_folder(data_dir)\n",
        "    data_dir.mkdir(parents=True, exist_ok=True)\n",
        (f"{EMBEDDED}::test_a_folder_that_cannot_be_written_is_said",),
    ),
    Mutant(
        "staff-file",
        SAID,
        "refusing a staff file with problems",
        "orders/staff.py",
        "    problems += _between(persons, lines)\n    if problems:\n        raise StaffError(problems)\n",
        "",
        (f"{STAFF}::test_a_broken_file_is_refused_with_its_problem", f"{STAFF}::test_all_problems_come_at_once"),
    ),
    Mutant(
        "calendar-file",
        SAID,
        "refusing a calendar file with problems",
        "orders/calendar.py",
        REFUSED + CALENDAR_MADE + REFUSED,
        CALENDAR_MADE,
        (f"{CALENDAR}::test_a_wrong_line_is_named",),
    ),
)
