# SPDX-License-Identifier: Apache-2.0
"""What a TiDB must be told to do: its foreign keys, which it can take without ever enforcing them."""

import pytest

from conftest import Admin
from test_check import findings

WORDS = "tidb_enable_foreign_key is OFF"


@pytest.fixture
def off(database):
    database.sql("SET GLOBAL tidb_enable_foreign_key = OFF", "mysql")
    yield
    database.sql("SET GLOBAL tidb_enable_foreign_key = ON", "mysql")


def test_a_schema_is_not_made_without_foreign_keys(schema, off):
    assert WORDS in schema.run("up", code=1)
    assert not schema.database.sql(f"SHOW DATABASES LIKE '{schema.name}'", "mysql")


def test_nothing_starts_without_foreign_keys(installation, admin, sql):
    assert findings(admin)["database"]["note"] == "connected, wrote, read; a TiDB that enforces foreign keys"
    sql("SET GLOBAL tidb_enable_foreign_key = OFF")
    try:
        found = findings(admin, code=1)["database"]
        assert not found["good"] and WORDS in found["problem"] and "SET GLOBAL tidb_enable_foreign_key = ON" in found["problem"]
        assert WORDS in Admin(installation).refused("verify")
    finally:
        sql("SET GLOBAL tidb_enable_foreign_key = ON")
    assert findings(admin)["database"]["good"]


def test_sessions_enforce_them_whatever_the_server_is_told(admin, sql):
    sql("SET GLOBAL foreign_key_checks = OFF")
    try:
        assert findings(admin)["database"]["good"]
    finally:
        sql("SET GLOBAL foreign_key_checks = ON")


def test_foreign_keys_that_were_made_invalid_are_told(admin, sql):
    """As when a schema came into TiDB by another tool."""
    key = "journal_batches_update FOREIGN KEY (update_id) REFERENCES updates (id) ON DELETE CASCADE"
    sql("ALTER TABLE journal_batches DROP FOREIGN KEY journal_batches_update")
    sql("SET GLOBAL tidb_enable_foreign_key = OFF")
    sql(f"ALTER TABLE journal_batches ADD CONSTRAINT {key}")
    sql("SET GLOBAL tidb_enable_foreign_key = ON")
    try:
        assert "FOREIGN KEY INVALID" in sql("SHOW CREATE TABLE journal_batches")[0][1]
        found = findings(admin, code=1)["database"]
        assert not found["good"] and "SHOW CREATE TABLE" in found["problem"]
    finally:
        sql("ALTER TABLE journal_batches DROP FOREIGN KEY journal_batches_update")
        sql(f"ALTER TABLE journal_batches ADD CONSTRAINT {key}")
    assert findings(admin)["database"]["good"]
