"""The ledger's tables: one definition for SQLite and PostgreSQL. Times are seconds since 1970, UTC."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, MetaData, String, Table, Text

SCHEMA = "order_route_ledger"  # in PostgreSQL; SQLite has none

metadata = MetaData()

meta = Table("meta", metadata, Column("name", String(100), primary_key=True), Column("value", Text, nullable=False))

effect = Table(
    "effect",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("remote_id", String(200)),
    Column("attempts", Integer, nullable=False),
    Column("t_first", Double, nullable=False),
    Column("t_last", Double, nullable=False),
)

attempt = Table(
    "attempt",
    metadata,
    Column("task_id", String(100), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,  # one tree instead of two: half of what each attempt writes
)

claim = Table(
    "claim",
    metadata,
    Column("business_key", String(100), primary_key=True),
    Column("instance_id", String(100), nullable=False),
    Column("at", Double, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(300), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("expires", Double, nullable=False),
)

bucket = Table(
    "bucket",
    metadata,
    Column("portal", String(200), primary_key=True),
    Column("level", Double, nullable=False),
    Column("sweep_level", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("slow_until", Double, nullable=False),
)

cursor = Table("cursor", metadata, Column("name", String(200), primary_key=True), Column("value", Text, nullable=False))

inbox = Table(
    "inbox",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("number", String(40), primary_key=True),
    Column("at", Double, nullable=False),
)
