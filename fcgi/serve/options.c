/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/settings.h"
#include "log.h"
#include "net/guard.h"
#include "telemetry/otlp.h"

#define RESPONDERS_LEAST 8
#define RESPONDERS_MOST 1024
#define HTTPS_PORT 8443

extern char **environ;

static int choice(const char *name, const char *const *names, int *ret_choice, struct err *e)
{
	const char *text = setting(name);

	for (int i = 0; names[i]; i++)
		if (!strcmp(text, names[i])) {
			*ret_choice = i;
			return 1;
		}
	return err_set(e, ERR_BAD_REQUEST, "%s: '%.40s' is not known; use %s%s%s or %s", name, text, names[0],
		       names[2] ? ", " : "", names[2] ? names[1] : "", names[2] ? names[2] : names[1]);
}

/* The path made absolute; refused when a configuration file could not carry it. */
static int folder(struct arena *arena, const char *name, const char *fallback, const char **ret_path, struct err *e)
{
	const char *path = setting(name) ? setting(name) : fallback;
	_cleanup_(freep) char *here = NULL;

	if (!path) {
		*ret_path = NULL;
		return 0;
	}
	if (strpbrk(path, "\"\\\n\r$%"))
		return err_set(e, ERR_BAD_REQUEST, "%s: '%.200s' has a quote, backslash, line break, $ or %%; use another path",
			       name, path);
	if (path[0] == '/') {
		*ret_path = arena_strdup(arena, path);
		return 1;
	}
	here = getcwd(NULL, 0);
	*ret_path = arena_printf(arena, "%s/%s", here ? here : "", path);
	return 1;
}

/* systemd may start us without /usr/sbin in PATH, so the usual folders are looked at as well. */
static int find_web_program(struct arena *arena, struct serve_options *o, struct err *e)
{
	const char *name = o->web == WEB_APACHE ? "apache2" : "lighttpd";
	const char *path = arena_printf(arena, "%s:/usr/sbin:/usr/local/sbin", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, ":");
		const char *file = arena_printf(arena, "%.*s/%s", (int)n, p, name);

		if (access(file, X_OK) == 0) {
			o->web_program = file;
			return 1;
		}
		p += n + (p[n] == ':');
	}
	return err_set(e, ERR_BAD_REQUEST, "PULUMI_WEB_SERVER: %s is not installed; run apt-get install %s, or set it to %s",
		       name, name, o->web == WEB_APACHE ? "lighttpd" : "apache");
}

/* They become part of the web server's configuration as they are written, once they are known to be networks. */
static int read_proxies(struct arena *arena, struct serve_options *o, struct err *e)
{
	const char *text = setting("PULUMI_TRUSTED_PROXIES") ? setting("PULUMI_TRUSTED_PROXIES") : "";
	struct guard networks;
	size_t count = 0;

	if (guard_read("PULUMI_TRUSTED_PROXIES", text, arena, &networks, e) < 0)
		return -1;
	o->trusted_proxies = arena_alloc(arena, (networks.count + 1) * sizeof(*o->trusted_proxies));
	for (text += strspn(text, " ,"); *text; text += strspn(text, " ,")) {
		size_t n = strcspn(text, " ,");

		o->trusted_proxies[count++] = arena_strndup(arena, text, n);
		text += n;
	}
	o->trusted_proxies[count] = NULL;
	return 1;
}

static int read_web(struct arena *arena, struct serve_options *o, struct err *e)
{
	static const char *const names[] = { "lighttpd", "apache", "none", NULL };
	unsigned char parsed[16];
	int web = 0;

	o->address = arena_strdup(arena, setting("PULUMI_BIND_ADDRESS"));
	if (inet_pton(AF_INET, o->address, parsed) != 1 && inet_pton(AF_INET6, o->address, parsed) != 1)
		return err_set(e, ERR_BAD_REQUEST, "PULUMI_BIND_ADDRESS: '%.60s' must be an IPv4 or IPv6 address", o->address);
	if (choice("PULUMI_WEB_SERVER", names, &web, e) < 0)
		return -1;
	o->web = (enum web_kind)web;
	if (read_proxies(arena, o, e) < 0)
		return -1;
	return o->web == WEB_NONE ? 1 : find_web_program(arena, o, e);
}

static int read_numbers(struct serve_options *o, struct err *e)
{
	int64_t port, responders = 2 * get_nprocs(), answer, seconds, body;

	if (responders < RESPONDERS_LEAST)
		responders = RESPONDERS_LEAST;
	if (setting("PULUMI_RESPONDERS") && setting_int("PULUMI_RESPONDERS", 1, RESPONDERS_MOST, &responders, e) < 0)
		return -1;
	if (setting_int("PORT", 1, 65535, &port, e) < 0 || setting_int("PULUMI_ANSWER_SECONDS", 1, 86400, &answer, e) < 0 ||
	    setting_int("PULUMI_STOP_SECONDS", 1, 3600, &seconds, e) < 0 ||
	    setting_int("PULUMI_MAX_BODY_BYTES", 1 << 20, 1LL << 40, &body, e) < 0)
		return -1;
	o->port = (int)port;
	o->responders = (int)responders;
	o->answer_seconds = (int)answer;
	o->stop_seconds = (int)seconds;
	o->max_body = (size_t)body;
	return 1;
}

static int read_folders(struct arena *arena, struct serve_options *o, struct err *e)
{
	if (folder(arena, "PULUMI_RUN_DIR", "/run/pulumi-api", &o->run_dir, e) < 0 ||
	    folder(arena, "PULUMI_LIBEXEC_DIR", PKG_LIBEXECDIR, &o->libexec, e) < 0 ||
	    folder(arena, "PULUMI_LOCAL_OBJECTS", NULL, &o->objects, e) < 0 ||
	    folder(arena, "PULUMI_ACCESS_LOG", arena_printf(arena, "%s/access.log", o->run_dir), &o->access_log, e) < 0)
		return -1;
	if (access(arena_printf(arena, "%s/pulumi-api.fcgi", o->libexec), X_OK) < 0)
		return err_set(e, ERR_BAD_REQUEST, "PULUMI_LIBEXEC_DIR: cannot run %s/pulumi-api.fcgi: %s", o->libexec,
			       strerror(errno));
	o->socket = arena_printf(arena, "%s/api.sock", o->run_dir);
	o->config = arena_printf(arena, "%s/%s.conf", o->run_dir, o->web == WEB_APACHE ? "apache" : "lighttpd");
	if (strlen(o->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_set(e, ERR_BAD_REQUEST, "PULUMI_RUN_DIR: '%.200s' is too long for a unix socket; use at most %zu bytes",
			       o->run_dir, sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof("/api.sock"));
	return 1;
}

static int read_telemetry(struct arena *arena, struct serve_options *o, struct err *e)
{
	struct otlp ignored;
	bool lines;
	int rc = otlp_settings(arena, &ignored, e);

	if (rc < 0 || setting_bool("PULUMI_ENABLE_DEPRECATED_METRICS", &lines, e) < 0)
		return -1;
	o->traced = rc;
	return 1;
}

/* Taken before the configuration file is read, so that children read the file as it is when they start. */
static char **copy_environment(struct arena *arena, const char *addition)
{
	size_t n = 0;
	char **copy;

	while (environ[n])
		n++;
	copy = arena_alloc(arena, (n + 2) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, environ[i]);
	copy[n] = arena_strdup(arena, addition);
	return copy;
}

static void drop_last(char **list)
{
	while (list[1])
		list++;
	*list = NULL;
}

/* The vendor's container takes any other value for FULL, and so does this: an environment that works there must start here. */
static enum serve_mode read_mode(void)
{
	static const char *const modes[] = { [MODE_FULL] = "FULL", [MODE_API] = "API", [MODE_JOBS] = "JOBS" };
	const char *text = setting("PULUMI_API_CONTAINER_MODE");

	for (size_t mode = 0; mode < sizeof(modes) / sizeof(modes[0]); mode++)
		if (!strcmp(text, modes[mode]))
			return (enum serve_mode)mode;
	serve_log("warning", "event=unknown_mode detail=\"PULUMI_API_CONTAINER_MODE: '%.40s' is not FULL, API or JOBS, and is taken for FULL\"", text);
	return MODE_FULL;
}

int serve_options_read(struct arena *arena, struct serve_options *ret_options, struct err *e)
{
	struct serve_options o = { 0 };

	o.environment = copy_environment(arena, "PULUMI_SENDFILE=1");
	if (settings_load(e) < 0 || read_numbers(&o, e) < 0)
		return -1;
	o.mode = read_mode();
	if (o.mode != MODE_JOBS && read_web(arena, &o, e) < 0)
		return -1;
	if (read_telemetry(arena, &o, e) < 0 || read_folders(arena, &o, e) < 0 || serve_tls_read(arena, o.run_dir, &o.tls, e) < 0)
		return -1;
	if (o.tls.on && !(getenv("PORT") && *getenv("PORT")))
		o.port = HTTPS_PORT;
	if (o.web != WEB_LIGHTTPD || !o.objects)
		drop_last(o.environment);
	*ret_options = o;
	return 1;
}

int serve_options_reread(struct arena *arena, const struct serve_options *old, struct serve_options *ret_options,
			 struct err *e)
{
	struct serve_options o;

	clearenv();
	for (char **each = old->environment; *each; each++)
		putenv(*each);
	if (serve_options_read(arena, &o, e) < 0)
		return -1;
	if (o.mode != old->mode || o.web != old->web || strcmp(o.run_dir, old->run_dir))
		return err_set(e, ERR_CONFLICT, "PULUMI_API_CONTAINER_MODE, PULUMI_WEB_SERVER and PULUMI_RUN_DIR "
			       "change only by a restart");
	*ret_options = o;
	return 1;
}

static int make_folder(const char *path, struct err *e)
{
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return err_set(e, ERR_BAD_REQUEST, "PULUMI_RUN_DIR: cannot make the folder %s: %s", path, strerror(errno));
	if (access(path, W_OK | X_OK) < 0)
		return err_set(e, ERR_BAD_REQUEST, "PULUMI_RUN_DIR: cannot write in %s: %s", path, strerror(errno));
	return 1;
}

int serve_options_prepare(const struct serve_options *o, struct err *e)
{
	static const char *const parts[] = { "upload", "empty", "errors" };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	if (make_folder(o->run_dir, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (make_folder(arena_printf(&arena, "%s/%s", o->run_dir, parts[i]), e) < 0)
			return -1;
	return 1;
}

int serve_options_check_port(const struct serve_options *o, struct err *e)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
	bool is_six = inet_pton(AF_INET6, o->address, &six.sin6_addr) == 1;
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, rc;

	if (!is_six)
		inet_pton(AF_INET, o->address, &four.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	rc = is_six ? bind(fd, (struct sockaddr *)&six, sizeof(six)) : bind(fd, (struct sockaddr *)&four, sizeof(four));
	rc = rc < 0 ? errno : 0;
	close(fd);
	if (rc == EADDRINUSE)
		return err_set(e, ERR_CONFLICT, "PORT: %d on %s is in use; stop what listens there or choose another port",
			       o->port, o->address);
	if (rc)
		return err_set(e, ERR_CONFLICT, "PORT: cannot listen on %s port %d: %s", o->address, o->port, strerror(rc));
	return 1;
}
