/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "db/internal.h"

static const char session_setup[] =
	"SET SESSION sql_mode='STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone='+00:00', "
	"innodb_lock_wait_timeout=10, autocommit=1";

static bool is_lost(unsigned number)
{
	/* gone away, lost, idle kill, killed, shutting down, wrong state after a drop */
	return number == 2006 || number == 2013 || number == 2055 || number == 4031 ||
	       number == 1927 || number == 1053 || number == 1317;
}

static bool is_race(unsigned number)
{
	return number == 1213 || number == 1205 || number == 1020;
}

/* Read-only or partitioned nodes: another connection may reach a better one. */
static bool is_wrong_node(unsigned number)
{
	return number == 1290 || number == 1836 || number == 1792 || number == 1047;
}

/* A name column is ASCII: text of a client that is not cannot be compared with it, nor be in it. */
static bool is_foreign_text(unsigned number)
{
	return number == 1267 || number == 3988;
}

int db_fail(struct db *db, const char *what, unsigned number, const char *text, struct err *e)
{
	bool lost = is_lost(number);

	if (lost || is_wrong_node(number))
		db->broken = true;
	if (is_foreign_text(number))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: a name has characters that no name here can have");
	if (is_race(number) || (lost && db->in_transaction))
		return err_set(e, ERR_RETRY, "%s", "");
	if (lost || is_wrong_node(number) || (number >= 2000 && number < 2013))
		return err_unavailable(e, "%s: %u %s", what, number, text);
	return err_internal(e, "%s: %u %s", what, number, text);
}

/* libmariadb takes a path only; a PEM text becomes a file that exists in memory alone. */
static int set_certificate(MYSQL *mysql, const char *pem, struct err *e)
{
	char path[64];
	int fd = memfd_create("ca.pem", 0);
	size_t n = strlen(pem);

	if (fd < 0 || write(fd, pem, n) != (ssize_t)n)
		return err_internal(e, "cannot hand the CA certificate to the database library");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, path);
	return 1;
}

static int set_tls(struct db *db, MYSQL *mysql, struct err *e)
{
	db_flag on = 1;

	if (!db->config.ca_certificate_pem)
		return 1;
	if (set_certificate(mysql, db->config.ca_certificate_pem, e) < 0)
		return -1;
	mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
#ifdef LIBMARIADB
	mysql_optionsv(mysql, MARIADB_OPT_TLS_VERSION,
		       db->config.min_tls_version && !strcmp(db->config.min_tls_version, "1.3") ?
			       "TLSv1.3" :
			       "TLSv1.2,TLSv1.3");
#endif
	return 1;
}

static int set_options(struct db *db, MYSQL *mysql, struct err *e)
{
	unsigned connect_timeout = 5, io_timeout = db->config.answer_seconds ? db->config.answer_seconds : 60;
	unsigned long packet = 1UL << 30;

	mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
	mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
	mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
	mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_optionsv(mysql, MYSQL_INIT_COMMAND, session_setup);
	mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	return set_tls(db, mysql, e);
}

static int read_max_packet(struct db *db, struct err *e)
{
	MYSQL_RES *result;
	MYSQL_ROW row;

	if (mysql_query(db->mysql, "SELECT @@max_allowed_packet"))
		return db_fail(db, "max_allowed_packet", mysql_errno(db->mysql),
			       mysql_error(db->mysql), e);
	result = mysql_store_result(db->mysql);
	row = result ? mysql_fetch_row(result) : NULL;
	db->max_packet = row && row[0] ? atoll(row[0]) : 1 << 20;
	mysql_free_result(result);
	return 1;
}

static bool is_plain(struct db *db)
{
	return db->config.ca_certificate_pem && !mysql_get_ssl_cipher(db->mysql);
}

int db_connect(struct db *db, struct err *e)
{
	const struct db_config *c = &db->config;
	MYSQL *mysql = mysql_init(NULL);

	if (!mysql)
		return err_internal(e, "mysql_init failed");
	if (set_options(db, mysql, e) < 0 ||
	    !mysql_real_connect(mysql, c->unix_socket ? NULL : c->host, c->user, c->password,
				c->database, c->port, c->unix_socket, CLIENT_FOUND_ROWS)) {
		unsigned number = mysql_errno(mysql);

		if (number >= 2000)
			err_unavailable(e, "connecting to the database: %u %s", number, mysql_error(mysql));
		else
			err_internal(e, "connecting to the database: %u %s", number, mysql_error(mysql));
		mysql_close(mysql);
		return -1;
	}
	db->mysql = mysql;
	db->broken = false;
	if (is_plain(db)) {
		db_disconnect(db);
		return err_internal(e, "the database connection is not encrypted although DATABASE_CA_CERTIFICATE is set");
	}
	return read_max_packet(db, e);
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

int db_ready(struct db *db, struct err *e)
{
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
	if (db_connect(db, e) < 0) {
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
		if (!is_lost(mysql_errno(db->mysql)) || attempt > 0)
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
