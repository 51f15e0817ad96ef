/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/settings.h"
#include "telemetry/attribute.h"
#include "telemetry/otlp.h"

static const char endpoint_name[] = "OTEL_EXPORTER_OTLP_ENDPOINT", protocol_name[] = "OTEL_EXPORTER_OTLP_PROTOCOL",
		  headers_name[] = "OTEL_EXPORTER_OTLP_HEADERS", attributes_name[] = "OTEL_RESOURCE_ATTRIBUTES",
		  certificate_name[] = "OTEL_EXPORTER_OTLP_CERTIFICATE";

/* Host, then a port or none. */
static bool good_host(const char *host)
{
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	char *end;
	long port;

	if (!n || host[0] == ':' || n > strlen(host))
		return false;
	if (host[n] != ':')
		return host[n] == '/' || !host[n];
	port = strtol(host + n + 1, &end, 10);
	return isdigit((unsigned char)host[n + 1]) && port > 0 && port < 65536 && (*end == '/' || !*end);
}

static bool only_visible(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static int read_endpoint(struct arena *arena, struct otlp *o, struct err *e)
{
	const char *url = setting(endpoint_name);
	size_t scheme = url && !strncmp(url, "http://", 7) ? 7 : url && !strncmp(url, "https://", 8) ? 8 : 0, n;

	if (!url)
		return 0;
	if (strchr(url, '@'))
		return err_internal(e, "%s: it has a user or a password; put what proves who calls into %s", endpoint_name, headers_name);
	if (!scheme || !good_host(url + scheme) || strpbrk(url, "?#") || !only_visible(url))
		return err_internal(e, "%s: '%.200s' must be http://host:port or https://host:port", endpoint_name, url);
	n = strlen(url);
	while (url[n - 1] == '/')
		n--;
	o->endpoint = arena_strndup(arena, url, n);
	return 1;
}

static int read_protocol(struct otlp *o, struct err *e)
{
	const char *protocol = setting(protocol_name);

	o->grpc = !strcmp(protocol, "grpc");
	if (!o->grpc && strcmp(protocol, "http") && strcmp(protocol, "http/protobuf"))
		return err_internal(e, "%s: '%.40s' is not known; use grpc, http or http/protobuf", protocol_name, protocol);
	return 1;
}

static int read_ratio(struct otlp *o, struct err *e)
{
	const char *text = setting("OTEL_TRACES_SAMPLER_ARG");
	char *end;
	double ratio = strtod(text, &end);

	if (end == text || *end || !(ratio >= 0 && ratio <= 1))
		return err_internal(e, "OTEL_TRACES_SAMPLER_ARG: '%.40s' must be a number from 0 to 1", text);
	o->sampler.ratio = ratio;
	return 1;
}

static int read_sampler(struct otlp *o, struct err *e)
{
	const char *text = setting("OTEL_TRACES_SAMPLER"), *name = text;

	o->sampler.parent_decides = !strncmp(text, "parentbased_", 12);
	name += o->sampler.parent_decides ? 12 : 0;
	if (!strcmp(name, "traceidratio"))
		return read_ratio(o, e);
	if (strcmp(name, "always_on") && strcmp(name, "always_off"))
		return err_internal(e, "OTEL_TRACES_SAMPLER: '%.40s' is not known; use always_on, always_off or traceidratio, or one of these behind parentbased_", text);
	o->sampler.ratio = !strcmp(name, "always_on");
	return 1;
}

static int read_numbers(struct otlp *o, struct err *e)
{
	int64_t timeout, interval;

	if (setting_int("OTEL_EXPORTER_OTLP_TIMEOUT", 1, 600000, &timeout, e) < 0 ||
	    setting_int("OTEL_METRIC_EXPORT_INTERVAL", 100, 86400000, &interval, e) < 0)
		return -1;
	o->timeout_ms = (int)timeout;
	o->interval_ms = (int)interval;
	return 1;
}

static int read_certificate(struct arena *arena, struct otlp *o, struct err *e)
{
	const char *file = setting(certificate_name);

	if (file && access(file, R_OK) < 0)
		return err_internal(e, "%s: cannot read %.200s: %s", certificate_name, file, strerror(errno));
	o->ca_file = file ? arena_strdup(arena, file) : NULL;
	return 1;
}

/* --- lists name=value,name=value with percent escapes --- */

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10 : -1;
}

/* What %XX stands for; anything else as it is. */
static char *decode(struct arena *arena, const char *text, size_t n)
{
	char *to = arena_alloc(arena, n + 1), *at = to;

	for (size_t i = 0; i < n; i++) {
		bool escape = text[i] == '%' && i + 2 < n && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;

		*at++ = (char)(escape ? hex(text[i + 1]) << 4 | hex(text[i + 2]) : text[i]);
		i += escape ? 2 : 0;
	}
	*at = '\0';
	return to;
}

static void trim(const char **text, size_t *n)
{
	while (*n && isspace((unsigned char)**text)) {
		++*text;
		--*n;
	}
	while (*n && isspace((unsigned char)(*text)[*n - 1]))
		--*n;
}

/* Calls `each` for every pair. The sentence does not repeat what stands there: it may be a secret. */
static int each_pair(struct arena *arena, const char *name, int (*each)(struct buffer *out, const char *key, const char *value),
		     struct buffer *out, struct err *e)
{
	const char *at = setting(name);

	for (int i = 1; at && *at; i++) {
		size_t n = strcspn(at, ","), key_n = strcspn(at, "=,"), value_n = n - key_n - (key_n < n);
		const char *key = at, *value = at + key_n + (key_n < n);

		trim(&key, &key_n);
		trim(&value, &value_n);
		if (n && (!key_n || at[strcspn(at, "=,")] != '=' || each(out, arena_strndup(arena, key, key_n), decode(arena, value, value_n)) < 0))
			return err_internal(e, "%s: its part %d must be name=value", name, i);
		at += n + (at[n] == ',');
	}
	return 1;
}

static int put_header(struct buffer *out, const char *key, const char *value)
{
	for (const char *c = key; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.!#$&'*+^`|~%", *c))
			return -1;
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return -1;
	buffer_printf(out, "%s: %s\n", key, value);
	return 1;
}

static int read_headers(struct arena *arena, struct otlp *o, struct err *e)
{
	_cleanup_(buffer_done) struct buffer lines = BUFFER_INIT;

	if (each_pair(arena, headers_name, put_header, &lines, e) < 0)
		return -1;
	o->headers = arena_strndup(arena, lines.length ? lines.data : "", lines.length);
	return 1;
}

/* --- message Resource of opentelemetry/proto/resource/v1/resource.proto --- */

static void put_text(struct buffer *out, const char *key, const char *value)
{
	attribute_text(out, 1, key, span_of(value));
}

/* service.name has a setting of its own; the others of ours give way to what is said there. */
static int put_attribute(struct buffer *out, const char *key, const char *value)
{
	if (strcmp(key, "service.name") || !setting("OTEL_SERVICE_NAME"))
		put_text(out, key, value);
	return 1;
}

static bool is_named(const char *key)
{
	const char *at = setting(attributes_name);

	for (; at && *at; at += strcspn(at, ","), at += *at == ',') {
		const char *start = at;
		size_t n = strcspn(at, "=,");

		trim(&start, &n);
		if (n == strlen(key) && !strncmp(start, key, n))
			return true;
	}
	return false;
}

static int read_resource(struct arena *arena, struct otlp *o, struct err *e)
{
	_cleanup_(buffer_done) struct buffer message = BUFFER_INIT;
	const char *service = setting("OTEL_SERVICE_NAME");
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	if (service || !is_named("service.name"))
		put_text(&message, "service.name", service ? service : "pulumi-api");
	if (!is_named("service.version"))
		put_text(&message, "service.version", PACKAGE_VERSION);
	if (!is_named("host.name"))
		put_text(&message, "host.name", host);
	if (!is_named("service.instance.id"))
		put_text(&message, "service.instance.id", host);
	if (each_pair(arena, attributes_name, put_attribute, &message, e) < 0)
		return -1;
	o->resource = (struct span){ memcpy(arena_alloc(arena, message.length), message.data, message.length), message.length };
	return 1;
}

int otlp_settings(struct arena *arena, struct otlp *ret_otlp, struct err *e)
{
	struct otlp o = { 0 };
	int on = read_endpoint(arena, &o, e);

	/* Also when it is off: a value that cannot be used is no surprise for later. */
	if (on < 0 || read_protocol(&o, e) < 0 || read_sampler(&o, e) < 0 || read_numbers(&o, e) < 0 || read_certificate(arena, &o, e) < 0 ||
	    read_headers(arena, &o, e) < 0 || read_resource(arena, &o, e) < 0)
		return -1;
	if (on)
		*ret_otlp = o;
	return on;
}
