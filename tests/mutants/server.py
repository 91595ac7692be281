"""Mutants of the server's gates: each builds the server anew, so they run by `make mutants` only."""

from __future__ import annotations

from mutants.mutant import Mutant

G = "gate"
JAVA = "server/src/main/java/orderroute"
DEMANDS = "tests/engine/test_gate_demands.py"
FIELDS = "tests/engine/test_gate_fields.py"
FORM = "bpmn/forms/stage.html"
MATRIX = "tests/engine/test_rights_matrix.py"

SERVER = (
    Mutant(
        "wrong-person",
        G,
        "the engine's own answer to a wrong person, before the gate's",
        f"{JAVA}/CompletionGate.java",
        "    Tasks.checkMayWork(task);\n",
        "",
        ("tests/engine/test_gate_doors.py::test_a_wrong_person_gets_the_engines_own_answer",),
    ),
    Mutant(
        "missing-file",
        G,
        "what a stage always demands, files first",
        f"{JAVA}/AnswerJudge.java",
        "    if (demand.always()) {\n      return true;\n    }\n",
        "    if (demand.always()) {\n      return false;\n    }\n",
        ("tests/engine/test_gate_files.py::test_no_file_no_completion",),
    ),
    Mutant(
        "no-reason",
        G,
        "the reason that a rejection demands",
        f"{JAVA}/AnswerJudge.java",
        "      if (absent(reason, values)) {\n",
        "      if (false) {\n",
        (f"{DEMANDS}::test_what_is_missing_is_named",),
    ),
    Mutant(
        "old-file",
        G,
        "unsetting the files of an earlier visit",
        f"{JAVA}/CompletionGate.java",
        "    unsetOldFiles(form, task, values);\n",
        "",
        (f"{DEMANDS}::test_values_of_an_earlier_visit_do_not_count_and_its_files_are_unset",),
    ),
    Mutant(
        "foreign-variable",
        G,
        "the refusal of variables that are not the form's",
        f"{JAVA}/AnswerJudge.java",
        '        throw new Refusal("Поле «" + Shown.value(name) + "» на этом шаге менять нельзя");\n      }\n    }\n',
        "        continue;\n      }\n    }\n    answer.values().keySet().removeIf(name -> form.owner(name) == null);\n",
        (f"{DEMANDS}::test_a_foreign_variable_is_refused",),
    ),
    Mutant(
        "past-date",
        G,
        "the refusal of a promise that has passed",
        f"{JAVA}/Dates.java",
        'if (field.options().contains("future") && !instant.isAfter(clock.now())) {',
        "if (false) {",
        (f"{FIELDS}::test_any_other_value_is_refused_and_nothing_changes",),
    ),
    Mutant(
        "twin-letter",
        G,
        "telling a Cyrillic letter from its Latin twin in a decision",
        f"{JAVA}/Choice.java",
        "      if (field.choices().containsKey(text)) {\n        return text;\n",
        "      if (field.choices().containsKey(latin(text))) {\n        return text;\n",
        (f"{FIELDS}::test_any_other_value_is_refused_and_nothing_changes",),
    ),
    Mutant(
        "double-start",
        "U uniqueness",
        "one order per start form, sent twice at once",
        f"{JAVA}/StartKeys.java",
        "(KEY_ VARCHAR(64) PRIMARY KEY,",
        "(KEY_ VARCHAR(64),",
        ("tests/engine/test_start_keys.py::test_a_double_click_makes_one_order",),
    ),
    Mutant(
        "shortcut",
        G,
        "the refusal to start or jump in the middle of the route",
        f"{JAVA}/ShortcutGate.java",
        "if (!Caller.current().mayRepair()) {",
        "if (false) {",
        ("tests/engine/test_start_keys.py::test_nobody_starts_or_jumps_in_the_middle",),
    ),
    Mutant(
        "stranger-comments",
        G,
        "comments by those who may only read",
        f"{JAVA}/CommentGate.java",
        "      Tasks.checkMayWork(task);\n",
        "",
        (f"{MATRIX}::test_each_step_by_each_department",),
    ),
    Mutant(
        "operator-data",
        G,
        "keeping operators from data, messages and timers",
        f"{JAVA}/OperatorGate.java",
        "if (caller.in(Caller.OPERATORS) && !caller.isAdmin()) {",
        "if (false) {",
        (f"{MATRIX}::test_each_route_by_each_kind_of_account",),
    ),
    Mutant(
        "sign-in-wait",
        G,
        "the wait after wrong passwords",
        f"{JAVA}/SignInGate.java",
        "if (failed.mustWait(name, address)) {",
        "if (false) {",
        ("tests/engine/test_rights_sign_in.py::test_after_a_few_failures_everybody_waits",),
    ),
    Mutant(
        "one-cookie-name",
        G,
        "a session cookie of its own for each engine of a host",
        f"{JAVA}/PageCookies.java",
        '"JSESSIONID_" + suffix',
        '"JSESSIONID"',
        ("tests/acceptance/test_pages_cookies.py::test_signing_in_at_one_engine_ends_no_session_at_another",),
    ),
    Mutant(
        "substitute-for-ever",
        G,
        "taking a substitute's right away with the link",
        f"{JAVA}/SubstituteGate.java",
        '      AssignmentRule.takeBack(task, (String) CommandFields.get(command, "userId"));\n',
        "",
        ("tests/engine/test_engine_absence.py::test_when_the_time_is_over_the_substitute_may_not_any_more",),
    ),
    Mutant(
        "columns-of-strangers",
        G,
        "keeping a list's columns to tasks that its reader may read",
        f"{JAVA}/ColumnsGate.java",
        " || !readable(new HashSet<>(Arrays.asList(scopes)))",
        "",
        (
            "tests/engine/test_tasklist_filters.py::test_a_member_reads_the_columns_of_what_the_list_shows_and_of_nothing_else",
        ),
    ),
    Mutant(
        "next-person",
        G,
        "keeping what was typed from whoever signs in next",
        FORM,
        "    camForm.on('store', function () { camForm.storePrevented = true; });\n",
        "",
        ("tests/acceptance/test_tasklist_people.py::test_what_one_typed_is_not_sent_by_who_signs_in_next",),
    ),
)
