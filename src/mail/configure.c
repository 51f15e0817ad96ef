/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings.h"
#include "mail/mail.h"

#define TLS_PORT 465	/* RFC 8314 §3.3 */

static bool is_host(const char *text, size_t length)
{
	bool ok = length > 0;

	for (size_t i = 0; ok && i < length; i++)
		ok = isalnum((unsigned char)text[i]) || strchr("-._:[]", text[i]);
	return ok;
}

static bool is_here(const char *host, size_t length)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && !strncmp(host, names[i], length))
			return true;
	return false;
}

static int read_server(const char *server, struct arena *arena, struct mail_config *c, struct err *e)
{
	const char *colon = strrchr(server, ':');
	size_t length = colon ? (size_t)(colon - server) : 0;
	long port = colon && isdigit((unsigned char)colon[1]) && strlen(colon) <= 6 ? strtol(colon + 1, NULL, 10) : 0;

	if (!is_host(server, length) || port < 1 || port > 65535 || colon[1 + strspn(colon + 1, "0123456789")])
		return err_internal(e, "SMTP_SERVER: '%.200s' must be host:port, e.g. smtp.example.com:587", server);
	if (c->plain && !is_here(server, length))
		return err_internal(e, "PULUMI_SMTP_PLAIN: mail without TLS is for a relay on this host, and SMTP_SERVER is '%.200s', "
				    "not localhost, 127.0.0.1 or [::1]", server);
	c->url = arena_printf(arena, "%s://%s", port == TLS_PORT && !c->plain ? "smtps" : "smtp", server);
	return 1;
}

static int read_account(struct mail_config *c, struct err *e)
{
	c->username = setting("SMTP_USERNAME");
	c->password = setting("SMTP_PASSWORD");
	if (!c->username == !c->password)
		return 1;
	return err_internal(e, "%s is not set, and %s is: set both, or none for a server that asks nobody to sign in",
			    c->username ? "SMTP_PASSWORD" : "SMTP_USERNAME", c->username ? "SMTP_USERNAME" : "SMTP_PASSWORD");
}

static int read_sender(struct arena *arena, struct mail_config *c, struct err *e)
{
	const char *sender;

	if (setting_required("SMTP_GENERIC_SENDER", &sender, e) < 0)
		return -1;
	if (mailbox_parse(sender, arena, &c->sender) == 0)
		return err_internal(e, "SMTP_GENERIC_SENDER: '%.200s' must be an e-mail address, or: Name <address>", sender);
	return 1;
}

static int check_unused(const struct mail_config *c, struct err *e)
{
	static const char *const names[] = { "SMTP_USERNAME", "SMTP_PASSWORD", "SMTP_GENERIC_SENDER" };

	if (c->plain)
		return err_internal(e, "PULUMI_SMTP_PLAIN is set, and SMTP_SERVER is not: set SMTP_SERVER to host:port");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (setting(names[i]))
			return err_internal(e, "%s is set, and SMTP_SERVER is not: set SMTP_SERVER to host:port", names[i]);
	return 0;
}

int mail_configure(struct arena *arena, struct mail_config *ret_config, struct err *e)
{
	const char *server = setting("SMTP_SERVER");
	struct mail_config c = { 0 };

	if (setting_bool("PULUMI_SMTP_PLAIN", &c.plain, e) < 0)
		return -1;
	if (!server)
		return check_unused(&c, e);
	if (read_server(server, arena, &c, e) < 0 || read_account(&c, e) < 0 || read_sender(arena, &c, e) < 0)
		return -1;
	*ret_config = c;
	return 1;
}

int mail_needed(const struct mail_config *config, struct err *e)
{
	if (config)
		return 1;
	return err_set(e, ERR_FORBIDDEN, "Forbidden: this server sends no mail; whoever runs it has to set SMTP_SERVER first");
}

char *mail_link(struct arena *arena, const char *path)
{
	const char *console = setting("PULUMI_CONSOLE_DOMAIN");
	bool whole = !strncmp(console, "http://", 7) || !strncmp(console, "https://", 8);

	return arena_printf(arena, "%s%s%s", whole ? "" : is_here(console, strcspn(console, ":")) ? "http://" : "https://", console,
			    path);
}
