"""Copies of real orders as rows in the engine's PostgreSQL tables, with new ids, keys and times.

The database does the copying: templates are staged once in a schema of their own, a level is one INSERT per table.
Everything that an order owns gets the old id with the copy's number as its last eight digits, so that references fit
in every table; ids of definitions, deployments and workers stay. Where a number or a key goes is marked once, in the
templates: to look for ids in each of millions of rows took nine tenths of the time. The past moves back by the copy's
shift, what lies ahead (deadlines, timers) stays ahead: otherwise thousands of timers would fire at once.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from postgres import Postgres

DATABASE = "engine"
AT_ONCE, MANY = 2, 2000  # tables that are written at once; copies from which on indexes are built afterwards
UUID = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})[0-9a-f]{8}")
_DIGITS, _KEY = "\x01", "\x02"  # stand in a marked template for the copy's digits and its key
_KEPT = {
    *("proc_def_id_", "process_def_id_", "proc_def_key_", "process_def_key_", "deployment_id_", "job_def_id_"),
    *("worker_id_", "hostname_", "user_id_", "group_id_", "name_", "act_id_", "act_name_", "act_type_", "type_"),
    *("topic_name_", "task_def_key_", "event_type_", "event_name_", "activity_id_", "var_type_", "state_"),
}
TABLES = {  # by which column its rows belong to what an order owns: itself, its tasks, its byte arrays
    "act_ge_bytearray": "id_",
    "act_ru_execution": "proc_inst_id_",
    "act_ru_task": "proc_inst_id_",
    "act_ru_variable": "proc_inst_id_",
    "act_ru_event_subscr": "proc_inst_id_",
    "act_ru_ext_task": "proc_inst_id_",
    "act_ru_incident": "proc_inst_id_",
    "act_ru_job": "process_instance_id_",
    "act_ru_identitylink": "task_id_",
    "act_ru_authorization": "resource_id_",
    "act_hi_procinst": "proc_inst_id_",
    "act_hi_actinst": "proc_inst_id_",
    "act_hi_taskinst": "proc_inst_id_",
    "act_hi_varinst": "proc_inst_id_",
    "act_hi_detail": "proc_inst_id_",
    "act_hi_comment": "proc_inst_id_",
    "act_hi_op_log": "proc_inst_id_",
    "act_hi_incident": "proc_inst_id_",
    "act_hi_ext_task_log": "proc_inst_id_",
    "act_hi_job_log": "process_instance_id_",
    "act_hi_identitylink": "root_proc_inst_id_",
}
_BYTES = ("act_ru_variable", "act_hi_varinst", "act_hi_detail")
_PREPARE = """
DROP SCHEMA IF EXISTS growth CASCADE;
CREATE SCHEMA growth;
CREATE TABLE growth.template (tpl int PRIMARY KEY, instance text, key text, ended boolean, made timestamp);
CREATE TABLE growth.copy (n int PRIMARY KEY, tpl int, key text, back interval, digits text)
"""


@dataclass(frozen=True)
class Copy:
    """One copy: its number, the template's place, its own key, and how far its past lies back."""

    n: int
    template: int
    key: str
    back: timedelta


def digits(n: int) -> str:
    """Return the last eight digits of every id of copy n: of no network card, which is what the engine has there."""
    return f"{0xF0000000 + n:08x}"


def other(value: str, n: int) -> str:
    """Return what copy n has in place of a template's text with its ids, as the database makes it."""
    return UUID.sub(lambda found: found[1] + digits(n), value)


def stage(server: Postgres, orders: Sequence[tuple[str, str]]) -> None:
    """Keep the rows of these templates (instance id, key) for copying; their place in the list is their number."""
    run(server, *_PREPARE.split(";\n"))
    values = ", ".join(f"({n}, '{instance}', '{key}')" for n, (instance, key) in enumerate(orders))
    run(
        server,
        f"INSERT INTO growth.template (tpl, instance, key) VALUES {values}",
        """UPDATE growth.template x SET ended = p.end_time_ IS NOT NULL, made = now() AT TIME ZONE 'UTC'
           FROM act_hi_procinst p WHERE p.id_ = x.instance""",
        *owned("template", "tpl"),
        *(
            f"""CREATE TABLE growth.{table} AS
                SELECT t.*, o.tpl FROM {table} t JOIN growth.template_owns o ON t.{by} = o.id"""
            for table, by in TABLES.items()
        ),
        *(_marking(server, table) for table in TABLES),
    )


def _marking(server: Postgres, table: str) -> str:
    """Return the statement that keeps a table's templates with a mark wherever something of the copy's own goes."""
    picked = ", ".join(f"{_marked(name, kind)} AS {name}" for name, kind in columns(server, table))
    return f"""CREATE TABLE growth.{table}_marked AS
               SELECT {picked}, s.tpl FROM growth.{table} s JOIN growth.template x USING (tpl)"""


def _marked(name: str, kind: str) -> str:
    if kind != "character varying" or name in _KEPT:
        return f"s.{name}"
    ids = f"regexp_replace(s.{name}, '{UUID.pattern}', E'\\\\1' || '{_DIGITS}', 'g')"
    return f"replace({ids}, x.key, '{_KEY}')" if name == "text_" else ids


def owned(orders: str, number: str) -> list[str]:
    """Return the statements that list what these orders (a table with `instance` and a number) own, as `…_owns`."""
    parts = [
        f"SELECT {number}, instance AS id FROM growth.{orders}",
        f"SELECT x.{number}, t.id_ FROM growth.{orders} x JOIN act_hi_taskinst t ON t.proc_inst_id_ = x.instance",
        *(
            f"""SELECT x.{number}, t.bytearray_id_ FROM growth.{orders} x JOIN {table} t ON t.proc_inst_id_ = x.instance
                WHERE t.bytearray_id_ IS NOT NULL"""
            for table in _BYTES
        ),
    ]
    return [
        f"DROP TABLE IF EXISTS growth.{orders}_owns",
        f"CREATE TABLE growth.{orders}_owns AS {' UNION '.join(parts)}",
        f"ANALYZE growth.{orders}_owns",
    ]


def plan(seed: int, first: int, templates: Sequence[int], count: int, days: int) -> list[Copy]:
    """Return so many copies of these templates in turn, their starts spread evenly at random over the days."""
    chance = random.Random(f"{seed}:{first}:{count}")
    return [
        Copy(first + i, templates[i % len(templates)], f"GRW-{first + i:05d}", timedelta(days=chance.uniform(1, days)))
        for i in range(count)
    ]


def insert(server: Postgres, copies: Sequence[Copy]) -> None:
    """Write the rows of these copies; indexes of large tables are dropped before and built after."""
    run(server, "TRUNCATE growth.copy")
    for part in (copies[at : at + 5000] for at in range(0, len(copies), 5000)):
        values = ", ".join(
            f"({c.n}, {c.template}, '{c.key}', interval '{c.back.total_seconds():.0f} s', '{digits(c.n)}')"
            for c in part
        )
        run(server, f"INSERT INTO growth.copy VALUES {values}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda table: _insert_into(server, table, len(copies) > MANY), TABLES))
    run(
        server,
        """INSERT INTO order_route_start_key (key_, order_, at_)
           SELECT md5('start' || c.key), c.key, (now() AT TIME ZONE 'UTC') - c.back FROM growth.copy c
           ON CONFLICT DO NOTHING""",
    )


def _insert_into(server: Postgres, table: str, many: bool) -> None:
    kinds = columns(server, table)
    beside = {name for name, _ in kinds}
    indexes = _indexes(server, table) if many else []
    keys = _keys(server, table) if many else []
    names = ", ".join(name for name, _ in kinds)
    picked = ", ".join(_expression(table, name, kind, beside) for name, kind in kinds)
    run(
        server,
        *(f"DROP INDEX {name}" for name, _ in indexes),
        *(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for name, _ in keys),
        # references are checked by `orphans` for all rows at once; triggers would check them row by row
        "SET session_replication_role = replica",
        "SET maintenance_work_mem = '512MB'",
        f"""INSERT INTO {table} ({names}) SELECT {picked} FROM growth.copy c JOIN growth.template x USING (tpl)
            JOIN growth.{table}_marked s USING (tpl)""",
        *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for name, definition in keys),
        *(definition for _, definition in indexes),
        f"ANALYZE {table}",
    )


def orphans(server: Postgres) -> list[str]:
    """Return the foreign keys of the engine's tables that some row does not keep."""
    found = []
    for table, column, target, wanted in run(
        server,
        """SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, b.attname FROM pg_constraint c
           JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
           JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
           WHERE c.contype = 'f' AND c.conrelid::regclass::text LIKE 'act_ru%'""",
    ):
        query = f"""SELECT count(*) FROM {table} t WHERE t.{column} IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM {target} o WHERE o.{wanted} = t.{column})"""
        if run(server, query) != [(0,)]:
            found.append(f"{table}.{column}")
    return found


def run(server: Postgres, *statements: str) -> list[tuple[object, ...]]:
    """Run statements on one connection to the engine's database; return the last one's rows."""
    return server.run(*(s for s in statements if s.strip()), database=DATABASE, seconds=3600)


def count(server: Postgres, query: str) -> int:
    """Return the one number that a query gives."""
    return int(str(run(server, query)[0][0]))


def columns(server: Postgres, table: str) -> list[tuple[str, str]]:
    """Return the columns of one of the engine's tables, in their order, each with its type."""
    rows = run(
        server,
        f"""SELECT column_name, data_type FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position""",
    )
    return [(str(name), str(kind)) for name, kind in rows]


def _indexes(server: Postgres, table: str) -> list[tuple[str, str]]:
    rows: Iterable[tuple[object, ...]] = run(
        server,
        f"""SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename = '{table}' AND i.schemaname = 'public'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conname = i.indexname)""",
    )
    return [(str(name), str(definition)) for name, definition in rows]


def _keys(server: Postgres, table: str) -> list[tuple[str, str]]:
    """Return the primary key, where nothing refers to it: ids in no order make an index slow to fill."""
    rows: Iterable[tuple[object, ...]] = run(
        server,
        f"""SELECT k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.contype = 'p'
            AND k.conrelid = '{table}'::regclass AND NOT EXISTS
              (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = k.conrelid)""",
    )
    return [(str(name), str(definition)) for name, definition in rows]


def _expression(table: str, name: str, kind: str, beside: set[str]) -> str:
    column = f"s.{name}"
    if name == "removal_time_":
        return f"{column} - c.back"
    if kind.startswith("timestamp"):
        return f"CASE WHEN {column} <= x.made THEN {column} - c.back ELSE {column} END"
    if name == "long_" and beside & {"var_type_", "type_"}:
        variable_type = "s.var_type_" if "var_type_" in beside else "s.type_"
        shift = f"CASE WHEN {variable_type} = 'date' AND s.long_ <= extract(epoch FROM x.made) * 1000"
        return f"{shift} THEN s.long_ - (extract(epoch FROM c.back) * 1000)::bigint ELSE s.long_ END"
    if name == "business_key_":
        return f"CASE WHEN {column} IS NOT NULL THEN c.key END"
    if name == "text_":
        token = "CASE WHEN s.name_ = 'trackToken' THEN left(md5(s.text_ || ':' || c.n), length(s.text_)) ELSE"
        return f"{token} replace(replace(s.text_, '{_DIGITS}', c.digits), '{_KEY}', c.key) END"
    if kind == "character varying" and name not in _KEPT:
        return f"replace({column}, '{_DIGITS}', c.digits)"
    return column
