# SPDX-License-Identifier: Apache-2.0
"""pulumi-migrate: up, status, plan, check; killed runs, two at once, the account of the API."""

import os
import re
import signal
import subprocess
import time

import pytest

from lib.server import ROOT, wait_for

TIDB = os.environ.get("PULUMI_TEST_DATABASE") == "tidb"
LISTED = re.compile(r"sql/migrations/(\S+\.sql)")


def test_up_makes_what_schema_sql_says(schema):
    assert "the schema is up to date" in schema.run("up")
    wanted = (ROOT / "sql" / "schema.sql").read_text()
    if TIDB:  # as sql/migrate/dialect.c says
        wanted = wanted.replace("CHARACTER SET ascii COLLATE ascii_general_ci", "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    assert schema.run("schema") == wanted, \
        "run pulumi-migrate schema > sql/schema.sql after a change of the migrations"
    assert "as it should be" in schema.run("check")


def test_every_migration_is_installed():
    in_folder = sorted(path.name for path in (ROOT / "sql" / "migrations").glob("*.sql"))
    assert LISTED.findall((ROOT / "sql" / "Makefile.inc").read_text()) == in_folder


def test_twice_is_the_same(schema):
    schema.run("up")
    before = schema.sql("SELECT name, applied_at FROM schema_migrations")
    assert "applied" not in schema.run("up")
    assert schema.sql("SELECT name, applied_at FROM schema_migrations") == before


def test_status_and_plan_change_nothing(schema):
    assert "waiting  0001-" in schema.run("status", code=3)
    plan = schema.run("plan", code=3)
    assert f"the database {schema.name} does not exist" in plan and "CREATE TABLE IF NOT EXISTS users" in plan
    assert not schema.database.sql(f"SHOW DATABASES LIKE '{schema.name}'", "mysql")
    schema.run("up")
    assert "nothing is waiting" in schema.run("plan")
    assert re.search(r"applied  0001-.* \(20\d\d-", schema.run("status"))


def test_check_names_what_differs(schema):
    schema.run("up")
    schema.sql("ALTER TABLE users DROP COLUMN name, ADD COLUMN nickname INT NULL")
    schema.sql("ALTER TABLE stacks DROP KEY stacks_path")
    said = schema.run("check", code=1)
    assert "- users: name VARCHAR(255)" in said
    assert "+ users: nickname INT NULL" in said
    assert "- stacks: KEY stacks_path (organization_id, project, name)" in said
    assert "3 differences" in said


def test_changed_file(own_schema):
    first = own_schema.migrations / "0001-a.sql"
    first.write_text("CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\n")
    own_schema.run("up")
    first.write_text("CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY);\n")
    for command in ("up", "status", "check", "plan"):
        assert "0001-a.sql was changed after it was applied" in own_schema.run(command, code=1)


def test_failed_statement_is_named_and_repeated(own_schema):
    bad = own_schema.migrations / "0001-a.sql"
    bad.write_text("-- First this.\nCREATE TABLE a (id INT NOT NULL PRIMARY KEY);\n\nCREATE TABLE b (id NONSENSE);\n")
    said = own_schema.run("up", code=1)
    assert "0001-a.sql, statement 2 of 2" in said
    assert "half     0001-a.sql (1 of 2 statements)" in own_schema.run("status", code=3)
    assert "NONSENSE" in own_schema.run("plan", code=3) and "First this" not in own_schema.run("plan", code=3)
    bad.write_text("CREATE TABLE c (id INT);\n")
    assert "was changed while it was half applied" in own_schema.run("up", code=1)


def test_newer_schema_is_said(own_schema):
    (own_schema.migrations / "0001-a.sql").write_text("CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\n")
    (own_schema.migrations / "0002-b.sql").write_text("CREATE TABLE b (id INT NOT NULL PRIMARY KEY);\n")
    own_schema.run("up")
    (own_schema.migrations / "0002-b.sql").unlink()
    assert "a newer version has also applied: 0002-b.sql" in own_schema.run("status")


def slow_migrations(folder, pause):
    """Statements that cannot be run twice, with time to be killed in between."""
    for number in range(1, 4):
        (folder / f"000{number}-t.sql").write_text("".join(
            f"CREATE TABLE t{number}_{i} (id INT NOT NULL PRIMARY KEY);\n"
            f"DO SLEEP({pause});\n"
            f"ALTER TABLE t{number}_{i}\n  ADD COLUMN a INT NULL,\n  ADD KEY k (a);\n"
            f"ALTER TABLE t{number}_{i} DROP KEY k;\n" for i in range(3)))
    return {f"t{number}_{i}" for number in range(1, 4) for i in range(3)}


def test_killed_again_and_again(own_schema):
    wanted = slow_migrations(own_schema.migrations, 0.05)
    for run in range(40):
        process = own_schema.start("up")
        try:
            process.communicate(timeout=0.04 + 0.01 * run)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        else:
            assert process.returncode == 0
            break
        own_schema.database.sql(f"UPDATE IGNORE {own_schema.name}.claims SET expires_at = '2000-01-01'", "mysql") \
            if own_schema.database.sql("SELECT table_name FROM information_schema.tables "
                                           f"WHERE table_schema = '{own_schema.name}' AND table_name = 'claims'", "mysql") else None
    assert "up to date" in own_schema.run("up")
    assert run > 3, "it was never killed"
    assert own_schema.tables() >= wanted
    columns = own_schema.sql("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'a'")
    assert columns == [[str(len(wanted))]]
    assert own_schema.sql("SELECT COUNT(*) FROM schema_progress") == [["0"]]


def test_killed_between_a_statement_and_its_record(own_schema):
    (own_schema.migrations / "0001-a.sql").write_text(
        "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nALTER TABLE a ADD COLUMN b INT NULL;\n"
        "ALTER TABLE a ADD COLUMN c INT NULL;\n")
    own_schema.run("up", code=-signal.SIGKILL, PULUMI_FAULT_POINT="migrate.statement:2")
    assert "half     0001-a.sql (1 of 3 statements)" in own_schema.run("status", code=3)
    own_schema.sql("DELETE FROM claims")
    own_schema.run("up")
    assert [row[0] for row in own_schema.sql("SHOW COLUMNS FROM a")] == ["id", "b", "c"]


def test_the_same_error_is_an_error_without_a_killed_run(own_schema):
    (own_schema.migrations / "0001-a.sql").write_text(
        "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nALTER TABLE a ADD COLUMN id INT NULL;\n")
    assert "Duplicate column" in own_schema.run("up", code=1)


def test_two_at_once(own_schema):
    wanted = slow_migrations(own_schema.migrations, 0.4)
    runs = [own_schema.start("up") for _ in range(3)]
    said = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert sorted(out.count("applied 000") for out, _ in said) == [0, 0, 3]
    assert any("waiting for pulumi-migrate, process" in err for _, err in said)
    assert own_schema.tables() >= wanted


def test_claim_of_the_dead_runs_out_and_of_the_living_does_not(own_schema):
    (own_schema.migrations / "0001-a.sql").write_text("CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nDO SLEEP(20);\n")
    first = own_schema.start("up")
    wait_for(lambda: own_schema.database.sql(f"SHOW TABLES IN `{own_schema.name}` LIKE 'a'", "mysql")
             if own_schema.database.sql(f"SHOW DATABASES LIKE '{own_schema.name}'", "mysql") else None, 20, "no table yet")
    def expires():
        return own_schema.sql("SELECT expires_at FROM claims")

    before = expires()
    wait_for(lambda: expires() > before, 12, "the claim of a long statement is not renewed")
    first.kill()
    first.communicate()
    before = expires()
    time.sleep(6)
    assert expires() == before, "somebody renews the claim of a dead process"


@pytest.mark.skipif(TIDB, reason="there a change waits as long as it must, and nobody waits for it")
def test_busy_table_is_tried_again(own_schema):
    (own_schema.migrations / "0001-a.sql").write_text("CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\n")
    own_schema.run("up")
    (own_schema.migrations / "0002-b.sql").write_text("ALTER TABLE a ADD COLUMN b INT NULL;\n")
    reader = subprocess.Popen(["mariadb", "--no-defaults", f"--socket={own_schema.database.socket}", "-uroot", own_schema.name],
                              env={"MYSQL_PWD": own_schema.database.password, "PATH": "/usr/bin"}, stdin=subprocess.PIPE, text=True)
    reader.stdin.write("START TRANSACTION; SELECT * FROM a; SELECT 1;\n")
    reader.stdin.flush()
    time.sleep(0.5)
    assert "kept a table busy" in own_schema.run("up", code=1, METADATA_LOCK_WAIT_TIMEOUT="1", METADATA_LOCK_RETRIES="1")
    waiting = own_schema.start("up", METADATA_LOCK_WAIT_TIMEOUT="1", METADATA_LOCK_RETRIES="30")
    time.sleep(2)
    reader.communicate("COMMIT;\n")
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0 and "applied 0002-b.sql" in out and "a table is busy" in err


# --- the account of the API ---

def may(schema, statement, password="it's a \\ secret"):
    done = subprocess.run(["mariadb", "--no-defaults", f"--socket={schema.database.socket}", f"-u{schema.account}", schema.name,
                           "-e", statement], env={"MYSQL_PWD": password, "PATH": "/usr/bin"}, capture_output=True, text=True, check=False)
    return done.returncode == 0


def test_account_reads_and_writes_rows_only(schema):
    schema.run("up")
    assert may(schema, "SELECT * FROM stacks; DELETE FROM stacks; INSERT INTO claims VALUES ('a', 'b', 'c', NOW())")
    assert not may(schema, "CREATE TABLE x (id INT)")
    assert not may(schema, "ALTER TABLE stacks ADD COLUMN x INT")
    assert not may(schema, "SELECT * FROM mysql.user")


def test_account_keeps_its_password_unless_asked(schema):
    schema.run("up")
    said = schema.run("up", code=1, PULUMI_DATABASE_USER_PASSWORD="another")
    assert "cannot log in with PULUMI_DATABASE_USER_PASSWORD" in said and "--set-password" in said
    assert may(schema, "SELECT 1")
    schema.run("up", "--set-password", PULUMI_DATABASE_USER_PASSWORD="another")
    assert may(schema, "SELECT 1", "another") and not may(schema, "SELECT 1")


def test_account_without_password_needs_leave(schema):
    said = schema.run("up", code=1, PULUMI_DATABASE_USER_PASSWORD="")
    assert "PULUMI_DATABASE_USER_PASSWORD is not set" in said
    schema.run("up", PULUMI_DATABASE_USER_PASSWORD="", MYSQL_ALLOW_EMPTY_PASSWORD="yes")
    assert may(schema, "SELECT 1", "")


def test_account_made_by_hand(schema):
    schema.run("up", SKIP_CREATE_DB_USER="true")
    assert not may(schema, "SELECT 1")


def test_an_account_that_may_not_make_accounts(schema):
    schema.run("up")
    schema.database.sql(f"CREATE USER m{schema.account}@localhost IDENTIFIED BY 'x'; "
                        f"GRANT ALL ON {schema.name}.* TO m{schema.account}@localhost", "mysql")
    other = {"MYSQL_ROOT_CREDENTIALS": f'{{"username": "m{schema.account}", "password": "x"}}', "MYSQL_ROOT_PASSWORD": "wrong"}
    schema.run("up", **other)
    assert "make it yourself" in schema.run("up", code=1, PULUMI_DATABASE_USER_NAME="nobody1", **other)


# --- reaching the database ---

def test_wrong_password_is_said_at_once(schema):
    began = time.monotonic()
    said = schema.run("status", code=1, MYSQL_ROOT_PASSWORD="wrong")
    assert "Access denied" in said and "MYSQL_ROOT_PASSWORD" in said and time.monotonic() - began < 5


def test_tls_is_no_matter_of_the_account(schema):
    """Who is trusted has nothing to do with the account that changes the schema."""
    for settings, words in (({"DATABASE_CA_CERTIFICATE": "/etc/ca.pem"}, "'/etc/ca.pem' is no certificate"),
                            ({"DATABASE_MIN_TLS_VERSION": "1.3"}, "DATABASE_MIN_TLS_VERSION is set but"),
                            ({"DATABASE_CA_CERTIFICATE": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"}, "DATABASE_CA_CERTIFICATE")):
        said = schema.run("status", code=1, PULUMI_DATABASE_WAIT_SECONDS="0", **settings)
        assert words in said and "MYSQL_ROOT" not in said, said


def test_waits_for_the_database(schema):
    said = schema.run("status", code=1, PULUMI_DATABASE_ENDPOINT="127.0.0.1:1", PULUMI_DATABASE_WAIT_SECONDS="6")
    assert "waiting for the database, 5 of 6 s" in said and "did not answer within 6 s" in said


def test_wrong_settings(schema):
    assert "PULUMI_DATABASE_NAME" in schema.run("status", code=1, PULUMI_DATABASE_NAME="a`b")
    assert "no migrations in /nowhere" in schema.run("status", code=1, PULUMI_MIGRATIONS_DIR="/nowhere")
    assert "MYSQL_ROOT_CREDENTIALS must be JSON" in schema.run("status", code=1, MYSQL_ROOT_CREDENTIALS="root:root")
    assert "usage:" in schema.run("sideways", code=2)
    assert "PULUMI_DATABASE_ENDPOINT" in schema.run("--help")
