/* SPDX-License-Identifier: Apache-2.0 */
#include "webconfig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES 32768	/* of one request header field: tokens of identity providers are long */
#define IDLE_SECONDS 120	/* longer than the command line keeps an idle connection, so that it closes first */
#define BODY_SLACK (1 << 20)	/* a body just over the limit is refused by the responder, with a sentence */

/* IPv6 addresses are written in brackets by both servers. */
static void put_address(struct buffer *out, const char *address)
{
	buffer_printf(out, strchr(address, ':') ? "[%s]" : "%s", address);
}

/* The digest makes the text another one when the certificate was renewed: the web server is told to read it again. */
static void lighttpd_tls(const struct serve_tls *tls, struct buffer *out)
{
	buffer_printf(out,
		      "# certificate %s\nserver.modules += (\"mod_gnutls\")\nssl.engine = \"enable\"\n"
		      "ssl.pemfile = \"%s\"\nssl.privkey = \"%s\"\nssl.openssl.ssl-conf-cmd = (\"MinProtocol\" => \"TLSv%s\")\n",
		      tls->digest, tls->certificate_file, tls->private_key_file, tls->minimum);
}

static void lighttpd_listen(const struct serve_options *o, struct buffer *out)
{
	buffer_puts(out, "server.bind = \"");
	put_address(out, o->address);
	buffer_printf(out, "\"\nserver.port = %d\n", o->port);
	if (o->tls.on)
		lighttpd_tls(&o->tls, out);
}

/*
 * Addresses are left as they came: the responder refuses what is wrong with them, with a sentence.
 * Bodies are spooled before a responder is asked, so a slow client occupies none; answers stream.
 * The pid stays the same over a reload, old connections end in the background.
 */
static void lighttpd_server(const struct serve_options *o, struct buffer *out)
{
	buffer_puts(out, "server.modules = (\"mod_fastcgi\", \"mod_accesslog\")\n");
	lighttpd_listen(o, out);
	buffer_printf(out, "server.document-root = \"%s/empty\"\nserver.upload-dirs = (\"%s/upload\")\n", o->run_dir, o->run_dir);
	buffer_printf(out, "accesslog.filename = \"%s\"\naccesslog.format = \"%%h %%u %%t \\\"%%r\\\" %%>s %%b \\\"%%{User-Agent}i\\\" %%D\"\n",
		      o->access_log);
	buffer_printf(out,
		      "server.tag = \"\"\nserver.max-fds = 8192\nserver.max-connections = 4096\nserver.listen-backlog = 1024\n"
		      "server.max-keep-alive-requests = 1000000\nserver.max-keep-alive-idle = %d\n"
		      "server.max-request-size = %zu\nserver.max-request-field-size = %d\n"
		      "server.http-parseopts = (\"header-strict\" => \"enable\", \"host-strict\" => \"enable\",\n"
		      "\t\"host-normalize\" => \"enable\", \"url-normalize\" => \"disable\", \"method-get-body\" => \"enable\")\n"
		      "server.stream-request-body = 0\nserver.stream-response-body = 2\n"
		      "server.feature-flags = (\"server.h2proto\" => \"enable\", \"server.h2c\" => \"enable\",\n"
		      "\t\"server.graceful-restart-bg\" => \"enable\", \"server.graceful-shutdown-timeout\" => %d)\n",
		      IDLE_SECONDS, (o->max_body + BODY_SLACK) / 1024, HEADER_BYTES, o->stop_seconds);
}

static void lighttpd_text(const struct serve_options *o, struct buffer *out)
{
	lighttpd_server(o, out);
	buffer_printf(out,
		      "fastcgi.server = (\"/\" => ((\"socket\" => \"%s\", \"check-local\" => \"disable\",\n"
		      "\t\"fix-root-scriptname\" => \"enable\", \"disable-time\" => 0", o->socket);
	if (o->objects)
		buffer_printf(out, ",\n\t\"x-sendfile\" => \"enable\", \"x-sendfile-docroot\" => (\"%s\")", o->objects);
	buffer_puts(out, ")))\n");
}

static void apache_modules(struct buffer *out)
{
	static const char *const names[] = { "mpm_event", "alias", "authz_core", "env", "proxy", "proxy_fcgi", "http2" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		buffer_printf(out, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", names[i], names[i]);
}

static void apache_tls(const struct serve_tls *tls, struct buffer *out)
{
	buffer_printf(out,
		      "# certificate %s\nLoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\nSSLEngine on\n"
		      "SSLCertificateFile \"%s\"\nSSLCertificateKeyFile \"%s\"\nSSLProtocol -all %s+TLSv1.3\n",
		      tls->digest, tls->certificate_file, tls->private_key_file, strcmp(tls->minimum, "1.3") ? "+TLSv1.2 " : "");
}

static void apache_listen(const struct serve_options *o, struct buffer *out)
{
	buffer_puts(out, "Listen ");
	put_address(out, o->address);
	buffer_printf(out, ":%d%s\nListenBacklog 1024\nProtocols h2 h2c http/1.1\n", o->port, o->tls.on ? " https" : "");
	if (o->tls.on)
		apache_tls(&o->tls, out);
}

static void apache_server(const struct serve_options *o, struct buffer *out)
{
	buffer_printf(out,
		      "ServerRoot \"%s\"\nDefaultRuntimeDir \"%s\"\nPidFile \"%s/apache.pid\"\nMutex \"file:%s\" default\n"
		      "ServerName pulumi-api\nServerTokens Prod\nErrorLog /dev/stderr\nDocumentRoot \"%s/empty\"\n",
		      o->run_dir, o->run_dir, o->run_dir, o->run_dir, o->run_dir);
	apache_listen(o, out);
	buffer_printf(out,
		      "LogFormat \"%%h %%u %%t \\\"%%r\\\" %%>s %%b "
		      "\\\"%%{User-Agent}i\\\" %%D\" api\nCustomLog \"%s\" api\n",
		      o->access_log);
	if (geteuid() == 0)
		buffer_puts(out, "User www-data\nGroup www-data\n");
	buffer_printf(out,
		      "ServerLimit 16\nThreadsPerChild 64\nMaxRequestWorkers 1024\nMaxConnectionsPerChild 0\n"
		      "KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout %d\nTimeout 600\nGracefulShutdownTimeout %d\n"
		      "LimitRequestFieldSize %d\nLimitRequestLine %d\nTraceEnable off\n",
		      IDLE_SECONDS, o->stop_seconds, HEADER_BYTES, HEADER_BYTES);
}

/*
 * No connection to a responder is kept: an idle one would hold a whole process. Without
 * ap_trust_cgilike_cl current Apaches drop the answer's Content-Length. LimitRequestBody does not
 * count what is passed on, hence the condition.
 */
static void apache_text(const struct serve_options *o, struct buffer *out)
{
	apache_modules(out);
	apache_server(o, out);
	buffer_printf(out,
		      "AllowEncodedSlashes NoDecode\nMergeSlashes Off\nSetEnv ap_trust_cgilike_cl 1\n"
		      "ProxyPass \"/\" \"unix:%s|fcgi://pulumi-api/\" retry=0 timeout=600 flushpackets=on\n"
		      "<Location \"/\">\n\tRequire all granted\n\tCGIPassAuth On\n"
		      "\t<If \"%%{HTTP:Content-Length} -gt %zu\">\n\t\tRedirect 413 \"/\"\n\t</If>\n</Location>\n",
		      o->socket, o->max_body + BODY_SLACK);
}

void serve_config_text(const struct serve_options *o, struct buffer *out)
{
	buffer_puts(out, "# Written by pulumi-serve at every start and reload; changes here are lost.\n");
	if (o->web == WEB_APACHE)
		apache_text(o, out);
	else
		lighttpd_text(o, out);
}

static bool is_there(const struct serve_options *o, const struct buffer *text)
{
	_cleanup_(freep) char *old = xmalloc(text->length + 1);
	FILE *f = fopen(o->config, "re");
	size_t n = f ? fread(old, 1, text->length + 1, f) : 0;

	if (f)
		fclose(f);
	return f && n == text->length && !memcmp(old, text->data, n);
}

int serve_config_write(const struct serve_options *o, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	const char *new_file = arena_printf(&arena, "%s.new", o->config);
	FILE *f;
	bool written;

	serve_config_text(o, &text);
	if (serve_tls_write(&o->tls, e) < 0)
		return -1;
	if (is_there(o, &text))
		return 0;
	f = fopen(new_file, "we");
	if (!f)
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: cannot write %s: %s", new_file, strerror(errno));
	written = fwrite(text.data, 1, text.length, f) == text.length;
	if (fclose(f) != 0 || !written || rename(new_file, o->config) < 0)
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: cannot write %s: %s", o->config, strerror(errno));
	return 1;
}
