/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "db/internal.h"

#define UNKNOWN_VARIABLE 1193
#define TLS_ERROR 2026	/* no trusted connection: certificate, name or version */

static const char session_setup[] =
	"SET SESSION sql_mode='STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone='+00:00', "
	"innodb_lock_wait_timeout=10, foreign_key_checks=1, autocommit=1";

/* A path, a missing authority or an unknown version would otherwise show as something else, or not at all. */
static int check_tls(const struct db_config *c, struct err *e)
{
	const char *pem = c->ca_certificate_pem, *least = c->min_tls_version;

	if (pem && !strstr(pem, "-----BEGIN CERTIFICATE-----"))
		return err_internal(e, "DATABASE_CA_CERTIFICATE: '%.*s' is no certificate: it must be the PEM text itself, %s", 80, pem,
				    "-----BEGIN CERTIFICATE----- and so on, not the name of a file");
	if (least && strcmp(least, "1.2") && strcmp(least, "1.3"))
		return err_internal(e, "DATABASE_MIN_TLS_VERSION: '%s' must be 1.2 or 1.3", least);
	if (least && !pem)
		return err_internal(e, "DATABASE_MIN_TLS_VERSION is set but DATABASE_CA_CERTIFICATE, which switches TLS on, is not");
	return 1;
}

/*
 * libmariadb takes a path only; a PEM text becomes a file that exists in memory alone, until the connection stands. -1 when
 * there is none.
 */
static int certificate_file(const char *pem)
{
	int fd = memfd_create("ca.pem", MFD_CLOEXEC);
	size_t n = strlen(pem);

	if (fd >= 0 && write(fd, pem, n) == (ssize_t)n)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int set_tls(struct db *db, MYSQL *mysql, int *ret_fd, struct err *e)
{
	db_flag on = 1;
	char path[64];

	if (!db->config.ca_certificate_pem)
		return 1;
	*ret_fd = certificate_file(db->config.ca_certificate_pem);
	if (*ret_fd < 0)
		return err_internal(e, "cannot hand the CA certificate to the database library");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *ret_fd);
	mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, path);
	mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
#ifdef LIBMARIADB
	mysql_optionsv(mysql, MARIADB_OPT_TLS_VERSION,
		       db->config.min_tls_version && !strcmp(db->config.min_tls_version, "1.3") ?
			       "TLSv1.3" :
			       "TLSv1.2,TLSv1.3");
#endif
	return 1;
}

static int set_options(struct db *db, MYSQL *mysql, int *ret_fd, struct err *e)
{
	unsigned connect_timeout = 5, io_timeout = db->config.answer_seconds ? db->config.answer_seconds : 60;
	unsigned tcp = MYSQL_PROTOCOL_TCP;
	unsigned long packet = 1UL << 30;

	mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
	mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
	mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
	mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_optionsv(mysql, MYSQL_INIT_COMMAND, session_setup);
	mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	/* Otherwise "localhost" would mean a socket of the library's own choice. */
	if (!db->config.unix_socket)
		mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &tcp);
	return set_tls(db, mysql, ret_fd, e);
}

/* Tells what a connection could not be made for; the setting that decides about trust is named. */
static int cannot_connect(const struct db *db, unsigned number, const char *text, struct err *e)
{
	const struct db_config *c = &db->config;
	bool first = !db->max_packet;	/* what was let in once may be let in again */

	if (first && number == TLS_ERROR && c->ca_certificate_pem)
		return err_internal(e, "DATABASE_CA_CERTIFICATE: the database at %s is not trusted: %s", c->unix_socket ? c->unix_socket : c->host,
			     text);
	if (first && !db_is_transient(number))
		return err_internal(e, DB_CANNOT_CONNECT "%u %s", number, text);
	return err_unavailable(e, DB_CANNOT_CONNECT "%u %s", number, text);
}

/* 1, 0 when the server does not know the variable. */
static int read_variable(struct db *db, const char *sql, int64_t *ret_value, struct err *e)
{
	MYSQL_RES *result;
	MYSQL_ROW row;

	if (mysql_query(db->mysql, sql))
		return mysql_errno(db->mysql) == UNKNOWN_VARIABLE ? 0 : cannot_connect(db, mysql_errno(db->mysql), mysql_error(db->mysql), e);
	result = mysql_store_result(db->mysql);
	row = result ? mysql_fetch_row(result) : NULL;
	if (row && row[0])
		*ret_value = atoll(row[0]);
	mysql_free_result(result);
	return 1;
}

static int read_max_packet(struct db *db, struct err *e)
{
	int64_t value = 1 << 20;

	if (read_variable(db, "SELECT @@max_allowed_packet", &value, e) < 0)
		return -1;
	db->max_packet = value;
	return 1;
}

/*
 * A TiDB that is told not to, or that is older than 6.6, takes foreign keys and marks them as invalid, for good; the end of an update and its
 * last batch then do not exclude each other. The first connection is refused for it, and a later one counts as an outage.
 */
static int check_foreign_keys(struct db *db, struct err *e)
{
	static const char off[] = "tidb_enable_foreign_key is OFF, or this TiDB is older than 6.6 and has no such variable: tables would be made "
				  "whose foreign keys are never enforced; SET GLOBAL tidb_enable_foreign_key = ON";
	int64_t enforced = 0;
	int rc = read_variable(db, "SELECT @@GLOBAL.tidb_enable_foreign_key", &enforced, e);

	if (rc < 0 || enforced)
		return rc;
	return db->max_packet ? err_unavailable(e, "%s", off) : err_internal(e, "%s", off);
}

/*
 * What only some servers know, each by a variable of its own; the others refuse the statement, and nothing is changed.
 * Galera: no statement looks at rows before all that other nodes had committed is there, since the next request of a client may
 * reach another host and node.
 * TiDB: a transaction's snapshot is of its begin there, so what was committed while it waited for a lock would not be seen by what
 * it reads under the lock; with READ COMMITTED each statement sees it. A taken key must be told by the statement that wants it, and
 * not by the commit. Rows of up to LIMIT_EVENTS_BYTES must be possible.
 */
static const struct {
	const char *sql;
	bool tidb, required;	/* required: who knows the variable must take it */
} server_setup[] = {
	{ "SET SESSION wsrep_sync_wait=7", false, false },
	{ "SET SESSION tidb_txn_mode='pessimistic', transaction_isolation='READ-COMMITTED'", true, true },
	{ "SET SESSION tidb_constraint_check_in_place_pessimistic=1", false, false },
	{ "SET SESSION tidb_txn_entry_size_limit=16777216", false, false },
};

static int set_up_server(struct db *db, struct err *e)
{
	for (size_t i = 0; i < sizeof(server_setup) / sizeof(server_setup[0]); i++) {
		bool good = !mysql_query(db->mysql, server_setup[i].sql);

		db->tidb |= good && server_setup[i].tidb;
		if (!good && server_setup[i].required && mysql_errno(db->mysql) != UNKNOWN_VARIABLE)
			return cannot_connect(db, mysql_errno(db->mysql), mysql_error(db->mysql), e);
		if (!db->tidb && server_setup[i].tidb)
			break;
	}
	return db->tidb ? check_foreign_keys(db, e) : 1;
}

static bool is_plain(struct db *db)
{
	return db->config.ca_certificate_pem && !mysql_get_ssl_cipher(db->mysql);
}

int db_connect(struct db *db, struct err *e)
{
	const struct db_config *c = &db->config;
	_cleanup_(close_fd) int ca = -1;
	MYSQL *mysql = mysql_init(NULL);

	if (!mysql)
		return err_internal(e, "mysql_init failed");
	if (set_options(db, mysql, &ca, e) < 0 ||
	    !mysql_real_connect(mysql, c->unix_socket ? NULL : c->host, c->user, c->password,
				c->database, c->port, c->unix_socket, CLIENT_FOUND_ROWS)) {
		int rc = cannot_connect(db, mysql_errno(mysql), mysql_error(mysql), e);

		mysql_close(mysql);
		return rc;
	}
	db->mysql = mysql;
	db->broken = false;
	if (is_plain(db)) {
		db_disconnect(db);
		return err_internal(e, "the database connection is not encrypted although DATABASE_CA_CERTIFICATE is set");
	}
	if (set_up_server(db, e) == 1 && read_max_packet(db, e) == 1)
		return 1;
	/* Nothing may use a session that is set up half. */
	db->broken = true;
	return -1;
}

void db_disconnect(struct db *db)
{
	struct prepared *p, *next;

	for (p = db->prepared; p; p = next) {
		next = p->next;
		mysql_stmt_close(p->handle);
		free(p);
	}
	db->prepared = NULL;
	if (db->mysql)
		mysql_close(db->mysql);
	db->mysql = NULL;
	db->broken = false;
}

/*
 * Whether the other side has ended the connection while nothing was asked: a server that was told to, one that waits only so long, a load
 * balancer that leaves a node. What is sent nevertheless is lost, and nobody could tell that from a lost answer.
 */
static bool is_ended(MYSQL *mysql)
{
	struct pollfd connection = { .fd = mysql_get_socket(mysql), .events = POLLRDHUP };

	return poll(&connection, 1, 0) > 0;
}

int db_ready(struct db *db, struct err *e)
{
	if (db->mysql && !db->in_transaction && !db->broken)
		db->broken = is_ended(db->mysql);
	if (db->broken)
		db_disconnect(db);
	if (db->mysql)
		return 1;
	if (db->in_transaction)
		return err_set(e, ERR_RETRY, "%s", "");
	return db_connect(db, e);
}

int db_open(const struct db_config *config, struct db **ret_db, struct err *e)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->config = *config;
	if (check_tls(config, e) < 0 || db_connect(db, e) < 0) {
		db_close(db);
		return -1;
	}
	*ret_db = db;
	return 1;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	db_disconnect(db);
	free(db);
}

void db_closep(struct db **db)
{
	db_close(*db);
}

void db_observe(struct db *db, const struct observer *observer)
{
	db->observer = *observer;
}

bool db_is_tidb(const struct db *db)
{
	return db->tidb;
}

int64_t db_max_packet(const struct db *db)
{
	return db->max_packet;
}

const struct db_config *db_config_of(const struct db *db)
{
	return &db->config;
}

int db_begin(struct db *db, struct err *e)
{
	for (int attempt = 0;; attempt++) {
		if (db_ready(db, e) < 0)
			return -1;
		if (!mysql_query(db->mysql, "START TRANSACTION")) {
			db->in_transaction = true;
			return 1;
		}
		if (!db_is_lost(mysql_errno(db->mysql)) || attempt > 0)
			return db_fail(db, "begin", mysql_errno(db->mysql), mysql_error(db->mysql), e);
		db->broken = true;
	}
}

int db_commit(struct db *db, struct err *e)
{
	db->in_transaction = false;
	if (!db->mysql || db->broken)
		return err_set(e, ERR_RETRY, "%s", "");
	if (!mysql_query(db->mysql, "COMMIT"))
		return 1;
	return db_fail(db, "commit", mysql_errno(db->mysql), mysql_error(db->mysql), e);
}

void db_rollback(struct db *db)
{
	if (!db->in_transaction)
		return;
	db->in_transaction = false;
	if (db->mysql && (db->broken || mysql_query(db->mysql, "ROLLBACK")))
		db->broken = true;
}

int db_run_text(struct db *db, const char *sql, struct err *e)
{
	if (db_ready(db, e) < 0)
		return -1;
	if (mysql_query(db->mysql, sql))
		return db_fail(db, "statement", mysql_errno(db->mysql), mysql_error(db->mysql), e);
	return 1;
}
