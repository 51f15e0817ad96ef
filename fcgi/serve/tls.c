/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "crypto/crypto.h"

#define PEM_BYTES (1 << 20)	/* a file longer than this is no certificate */

static int read_pem_file(struct arena *arena, const char *name, const char *path, struct span *ret_pem, struct err *e)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t n;

	if (!f)
		return err_set(e, ERR_BAD_REQUEST, "%s: cannot read %.200s: %s", name, path, strerror(errno));
	text = arena_alloc(arena, PEM_BYTES);
	n = fread(text, 1, PEM_BYTES - 1, f);
	fclose(f);
	*ret_pem = (struct span){ text, n };
	if (!strstr(text, "-----BEGIN "))
		return err_set(e, ERR_BAD_REQUEST, "%s: %.200s holds no PEM (-----BEGIN …)", name, path);
	return 1;
}

/* The value itself when it is PEM, otherwise the file that it names: 0 when it is not set. */
static int read_pem(struct arena *arena, const char *name, struct span *ret_pem, struct err *e)
{
	const char *value = setting(name);

	if (!value)
		return 0;
	if (strstr(value, "-----BEGIN ")) {
		*ret_pem = span_of(arena_strdup(arena, value));
		return 1;
	}
	return read_pem_file(arena, name, value, ret_pem, e);
}

static int check_pair(const struct serve_tls *tls, struct err *e)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t certificate = { (unsigned char *)(uintptr_t)tls->certificate.data, (unsigned)tls->certificate.length };
	gnutls_datum_t key = { (unsigned char *)(uintptr_t)tls->private_key.data, (unsigned)tls->private_key.length };
	int rc = gnutls_certificate_allocate_credentials(&credentials);

	if (rc >= 0) {
		rc = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
		gnutls_certificate_free_credentials(credentials);
	}
	if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return err_set(e, ERR_BAD_REQUEST, "API_TLS_PRIVATE_KEY: the key does not belong to API_TLS_CERTIFICATE");
	if (rc < 0)
		return err_set(e, ERR_BAD_REQUEST, "API_TLS_CERTIFICATE, API_TLS_PRIVATE_KEY: they cannot be used: %s",
			       gnutls_strerror(rc));
	return 1;
}

static void set_digest(struct serve_tls *tls)
{
	struct sha256_state *s = sha256_begin();
	unsigned char digest[SHA256_BYTES];

	sha256_add(s, tls->certificate);
	sha256_add(s, tls->private_key);
	sha256_end(s, digest);
	hex_encode(digest, sizeof(digest), tls->digest);
}

int serve_tls_read(struct arena *arena, const char *run_dir, struct serve_tls *ret_tls, struct err *e)
{
	struct serve_tls tls = { .minimum = setting("API_MIN_TLS_VERSION") };
	int certificate = read_pem(arena, "API_TLS_CERTIFICATE", &tls.certificate, e);
	int key = certificate < 0 ? -1 : read_pem(arena, "API_TLS_PRIVATE_KEY", &tls.private_key, e);

	if (certificate < 0 || key < 0)
		return -1;
	if (strcmp(tls.minimum, "1.2") && strcmp(tls.minimum, "1.3"))
		return err_set(e, ERR_BAD_REQUEST, "API_MIN_TLS_VERSION: '%.20s' must be 1.2 or 1.3", tls.minimum);
	if (certificate != key)
		return err_set(e, ERR_BAD_REQUEST, "%s is not set although %s is; set both for HTTPS, or neither",
			       key ? "API_TLS_CERTIFICATE" : "API_TLS_PRIVATE_KEY", key ? "API_TLS_PRIVATE_KEY" : "API_TLS_CERTIFICATE");
	if (certificate && check_pair(&tls, e) < 0)
		return -1;
	tls.on = certificate;
	if (tls.on)
		set_digest(&tls);
	tls.certificate_file = arena_printf(arena, "%s/tls.crt", run_dir);
	tls.private_key_file = arena_printf(arena, "%s/tls.key", run_dir);
	*ret_tls = tls;
	return 1;
}

static int write_file(const char *path, struct span text, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool written = fd >= 0 && write(fd, text.data, text.length) == (ssize_t)text.length;

	if (fd >= 0)
		close(fd);
	return written ? 1 : err_set(e, ERR_BAD_REQUEST, "PULUMI_RUN_DIR: cannot write %s: %s", path, strerror(errno));
}

int serve_tls_write(const struct serve_tls *tls, struct err *e)
{
	if (!tls->on)
		return 1;
	if (write_file(tls->certificate_file, tls->certificate, e) < 0)
		return -1;
	return write_file(tls->private_key_file, tls->private_key, e);
}

bool serve_tls_ask(int fd, const char *question, char *ret_answer, size_t room)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	ssize_t n = 0;
	size_t got = 0;

	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	if (gnutls_handshake(session) == 0 && gnutls_record_send(session, question, strlen(question)) > 0)
		while (got < room - 1) {
			n = gnutls_record_recv(session, ret_answer + got, room - 1 - got);
			/* A session ticket came in between. */
			if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
				continue;
			if (n <= 0)
				break;
			got += (size_t)n;
		}
	ret_answer[got] = '\0';
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	return got == room - 1;
}
