/* SPDX-License-Identifier: Apache-2.0 */
#include "webconfig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "errorpage.h"
#include "file.h"

#define HEADER_BYTES 32768	/* of one request header field: tokens of identity providers are long */
#define KEEP_ALIVE_REQUESTS 65535	/* lighttpd keeps the number in 16 bits, and the rest of a larger one is lost silently */
#define IDLE_SECONDS 120	/* longer than the command line keeps an idle connection, so that it closes first */
#define UNAVAILABLE "/pulumi-api-unavailable"
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

/* Who asked is said by the last address of the header that is no trusted proxy's; anybody else's header says nothing. */
static void lighttpd_proxies(const struct serve_options *o, struct buffer *out)
{
	if (!*o->trusted_proxies)
		return;
	buffer_puts(out, "server.modules += (\"mod_extforward\")\nextforward.headers = (\"X-Forwarded-For\")\nextforward.forwarder = (");
	for (const char **each = o->trusted_proxies; *each; each++)
		buffer_printf(out, "%s\"%s\" => \"trust\"", each == o->trusted_proxies ? "" : ", ", *each);
	buffer_puts(out, ")\n");
}

/*
 * Addresses are left as they came: the responder refuses what is wrong with them, with a sentence.
 * Bodies are spooled before a responder is asked, so a slow client occupies none; answers stream.
 * The pid stays the same over a reload, old connections end in the background. Patterns are not compiled to machine code:
 * the service must not make memory executable (MemoryDenyWriteExecute=), and lighttpd would complain at every start.
 */
static void lighttpd_server(const struct serve_options *o, struct buffer *out)
{
	buffer_puts(out, "server.modules = (\"mod_fastcgi\", \"mod_accesslog\", \"mod_setenv\")\n");
	lighttpd_listen(o, out);
	lighttpd_proxies(o, out);
	buffer_printf(out, "server.document-root = \"%s/empty\"\nserver.upload-dirs = (\"%s/upload\")\n", o->run_dir, o->run_dir);
	/* Without the query: it may be what lets a client put or get an object. */
	buffer_printf(out, "accesslog.filename = \"%s\"\naccesslog.format = \"%%h %%u %%t \\\"%%m %%U %%H\\\" %%>s %%b \\\"%%{User-Agent}i\\\" %%D\"\n",
		      o->access_log);
	buffer_printf(out,
		      "server.tag = \"\"\nserver.max-fds = 8192\nserver.max-connections = 4096\nserver.listen-backlog = 1024\n"
		      "server.max-keep-alive-requests = %d\nserver.max-keep-alive-idle = %d\n"
		      "server.max-request-size = %zu\nserver.max-request-field-size = %d\n"
		      "server.http-parseopts = (\"header-strict\" => \"enable\", \"host-strict\" => \"enable\",\n"
		      "\t\"host-normalize\" => \"enable\", \"url-normalize\" => \"disable\", \"method-get-body\" => \"enable\")\n"
		      "server.stream-request-body = 0\nserver.stream-response-body = 2\n"
		      "server.feature-flags = (\"server.h2proto\" => \"enable\", \"server.h2c\" => \"enable\",\n"
		      "\t\"server.graceful-restart-bg\" => \"enable\", \"server.graceful-shutdown-timeout\" => %d,\n"
		      "\t\"server.pcre_jit\" => \"disable\")\n",
		      KEEP_ALIVE_REQUESTS, IDLE_SECONDS, (o->max_body + BODY_SLACK) / 1024, HEADER_BYTES, o->stop_seconds);
}

/*
 * What lighttpd answers by itself is a file of errors/. Its headers cannot depend on the status; but what it finds out
 * after it has chosen the responders goes through the error handler, a path of its own at which nothing is, whose answers carry
 * Retry-After and keep their status. Only a body that is too large is found out that late too: hence the methods without one,
 * and lengths with fewer digits than the limit has. A body that comes in chunks has none of its own, and lighttpd 1.4 shows its conditions
 * neither Transfer-Encoding nor the length that it counted, also not on the second pass through the handler's path: there 413 and 503
 * of such a request look alike. Who is refused for the size must not be told to send it again, so neither gets Retry-After.
 */
static void lighttpd_errors(const struct serve_options *o, struct buffer *out)
{
	int digits = snprintf(NULL, 0, "%zu", o->max_body + BODY_SLACK);

	buffer_printf(out,
		      "\t$HTTP[\"request-method\"] =~ \"^(GET|HEAD|DELETE)$\" { server.error-handler = \"" UNAVAILABLE "\" }\n"
		      "\t$REQUEST_HEADER[\"Content-Length\"] =~ \"^[0-9]{1,%d}$\" { server.error-handler = \"" UNAVAILABLE "\" }\n",
		      digits - 1);
}

static void lighttpd_text(const struct serve_options *o, struct buffer *out)
{
	lighttpd_server(o, out);
	buffer_printf(out,
		      "server.errorfile-prefix = \"%s/errors/\"\nmimetype.assign = (\".html\" => \"application/json\")\n"
		      "$HTTP[\"url\"] == \"" UNAVAILABLE "\" {\n\tsetenv.set-response-header = (\"Retry-After\" => \"1\")\n}\n"
		      "else $HTTP[\"url\"] =^ \"/\" {\n"
		      "\tfastcgi.server = (\"/\" => ((\"socket\" => \"%s\", \"check-local\" => \"disable\",\n"
		      "\t\t\"fix-root-scriptname\" => \"enable\", \"disable-time\" => 0,\n"
		      "\t\t\"read-timeout\" => %d, \"write-timeout\" => %d", o->run_dir, o->socket, o->answer_seconds, o->answer_seconds);
	if (o->objects)
		buffer_printf(out, ",\n\t\t\"x-sendfile\" => \"enable\", \"x-sendfile-docroot\" => (\"%s\")", o->objects);
	buffer_puts(out, ")))\n");
	lighttpd_errors(o, out);
	buffer_puts(out, "}\n");
}

static void apache_modules(struct buffer *out)
{
	static const char *const names[] = { "mpm_event", "alias", "authz_core", "env", "headers", "proxy", "proxy_fcgi", "http2" };

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

/* Apache's "internal" proxies may speak of clients in private networks, its "trusted" ones not. */
static void apache_proxies(const struct serve_options *o, struct buffer *out)
{
	if (!*o->trusted_proxies)
		return;
	buffer_puts(out, "LoadModule remoteip_module /usr/lib/apache2/modules/mod_remoteip.so\nRemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy");
	for (const char **each = o->trusted_proxies; *each; each++)
		buffer_printf(out, " %s", *each);
	buffer_puts(out, "\n");
}

static void apache_server(const struct serve_options *o, struct buffer *out)
{
	buffer_printf(out,
		      "ServerRoot \"%s\"\nDefaultRuntimeDir \"%s\"\nPidFile \"%s/apache.pid\"\nMutex \"file:%s\" default\n"
		      "ServerName pulumi-api\nServerTokens Prod\nErrorLog /dev/stderr\nDocumentRoot \"%s/empty\"\n",
		      o->run_dir, o->run_dir, o->run_dir, o->run_dir, o->run_dir);
	apache_listen(o, out);
	apache_proxies(o, out);
	buffer_printf(out,
		      "LogFormat \"%%a %%u %%t \\\"%%m %%U %%H\\\" %%>s %%b "
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

/* Each answer of a responder has an id; what has none is Apache's own. */
static void apache_errors(struct buffer *out)
{
	for (const struct error_page *p = serve_error_pages; p->message; p++)
		buffer_printf(out, "ErrorDocument %d \"{\\\"code\\\":%d,\\\"message\\\":\\\"%s\\\"}\"\n", p->status, p->status, p->message);
	buffer_puts(out, "Header always set Content-Type application/json "
			 "\"expr=%{REQUEST_STATUS} -ge 400 && -z resp('X-Pulumi-Request-ID')\"\n"
			 "Header always set Retry-After 1 \"expr=%{REQUEST_STATUS} -ge 502 && %{REQUEST_STATUS} -le 504 && "
			 "-z resp('X-Pulumi-Request-ID')\"\n");
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
	apache_errors(out);
	buffer_printf(out,
		      "AllowEncodedSlashes NoDecode\nMergeSlashes Off\nSetEnv ap_trust_cgilike_cl 1\n"
		      "ProxyPass \"/\" \"unix:%s|fcgi://pulumi-api/\" retry=0 timeout=%d flushpackets=on\n"
		      "<Location \"/\">\n\tRequire all granted\n\tCGIPassAuth On\n"
		      "\t<If \"%%{HTTP:Content-Length} -gt %zu\">\n\t\tRedirect 413 \"/\"\n\t</If>\n</Location>\n",
		      o->socket, o->answer_seconds, o->max_body + BODY_SLACK);
}

void serve_config_text(const struct serve_options *o, struct buffer *out)
{
	buffer_puts(out, "# Written by pulumi-serve at every start and reload; changes here are lost.\n");
	if (o->web == WEB_APACHE)
		apache_text(o, out);
	else
		lighttpd_text(o, out);
}

int serve_config_write(const struct serve_options *o, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	serve_config_text(o, &text);
	if (serve_tls_write(&o->tls, e) < 0)
		return -1;
	return serve_file_replace(o->config, buffer_span(&text), e);
}
