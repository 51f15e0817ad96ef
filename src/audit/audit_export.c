/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_export.h"

#include "audit/event.h"
#include "base/clock.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Quoted when it must be. A spreadsheet would run what begins like a formula: an apostrophe makes it text. */
static void put_cell(struct buffer *out, const char *text, char after)
{
	bool formula = *text && strchr("=+-@\t\r", *text);
	bool quote = formula || text[strcspn(text, ",\"\r\n")];

	buffer_puts(out, quote ? "\"" : "");
	buffer_puts(out, formula ? "'" : "");
	for (; *text; text++) {
		if (*text == '"')
			buffer_putc(out, '"');
		buffer_putc(out, *text);
	}
	buffer_puts(out, quote ? "\"" : "");
	buffer_putc(out, after);
}

static const char *yes_no(bool value)
{
	return value ? "true" : "false";
}

void audit_csv_head(struct buffer *out)
{
	buffer_puts(out, "Timestamp,Name,Login,Event,Description,SourceIP,RequireOrgAdmin,RequireStackAdmin,"
			 "AuthenticationFailure\n");
}

void audit_csv_line(const struct audit_entry *a, struct buffer *out)
{
	struct audit_kind kind = audit_kind_of(a->event);
	char time[TIME_TEXT];

	time_text(a->created_at, time);
	put_cell(out, time, ',');
	put_cell(out, or_empty(a->name), ',');
	put_cell(out, or_empty(a->login), ',');
	put_cell(out, kind.title, ',');
	put_cell(out, a->description, ',');
	put_cell(out, a->source_ip, ',');
	buffer_printf(out, "%s,%s,false\n", yes_no(kind.by == BY_ORG_ADMIN), yes_no(kind.by == BY_STACK_ADMIN));
}

/* In the head of a line `|` separates, behind it `=` does. */
static void put_escaped(struct buffer *out, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\n' || *text == '\r') {
			buffer_puts(out, *text == '\n' ? "\\n" : "\\r");
			continue;
		}
		if (strchr(special, *text))
			buffer_putc(out, '\\');
		buffer_putc(out, *text);
	}
}

static void put_pair(struct buffer *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buffer_printf(out, " %s=", name);
	put_escaped(out, value, "\\=");
}

/* The head of a line: version|vendor|product|version|event|title|severity| */
static void put_head(struct buffer *out, const struct audit_kind *kind, const char *version)
{
	buffer_printf(out, "CEF:0|pulumi-api|pulumi-api|%s|", version);
	put_escaped(out, kind->event, "\\|");
	buffer_putc(out, '|');
	put_escaped(out, kind->title, "\\|");
	buffer_printf(out, "|%d|", kind->by == BY_ORG_ADMIN ? 5 : 3);
}

void audit_cef_line(const struct audit_entry *a, const char *organization_id, const char *host, const char *version,
		    struct buffer *out)
{
	struct audit_kind kind = audit_kind_of(a->event);

	put_head(out, &kind, version);
	buffer_printf(out, "rt=%lld", (long long)a->created_at / 1000);
	put_pair(out, "dvchost", host);
	put_pair(out, "src", a->source_ip);
	put_pair(out, "suser", a->login);
	put_pair(out, "msg", a->description);
	put_pair(out, "orgID", organization_id);
	put_pair(out, "userID", a->user_id);
	put_pair(out, "requireOrgAdmin", yes_no(kind.by == BY_ORG_ADMIN));
	put_pair(out, "requireStackAdmin", yes_no(kind.by == BY_STACK_ADMIN));
	put_pair(out, "authenticationFailure", "false");
	buffer_putc(out, '\n');
}
