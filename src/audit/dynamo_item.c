/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/dynamo_item.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/scan.h"
#include "json/write.h"

#define LAST_US (253402300800LL * 1000000)	/* the year 10000 does not sort behind 9999 */
#define FIRST " "
#define LAST "~"

/* A UUIDv7 begins with its milliseconds: eight hex digits, a dash, four more. */
static int64_t id_us(const char *id)
{
	char digits[13] = "";
	size_t n = 0;

	for (; *id && n < 12; id++)
		if (*id != '-')
			digits[n++] = *id;
	return (int64_t)strtoll(digits, NULL, 16) * 1000;
}

static void time_key(int64_t us, char ret_key[DYNAMO_KEY])
{
	char time[TIME_TEXT] = LAST;

	if (us < LAST_US)
		time_text(us, time);
	snprintf(ret_key, DYNAMO_KEY, "%s", time);
}

void dynamo_key(const char *id, char ret_key[DYNAMO_KEY])
{
	char time[DYNAMO_KEY];

	time_key(id_us(id), time);
	snprintf(ret_key, DYNAMO_KEY, "%.*s_%.*s", TIME_TEXT - 1, time, UUID_TEXT - 1, id);
}

/* A whole id as upper bound is excluded by its reader; the start of one stands for a time, before which everything is. */
void dynamo_range(const char *from, const char *until, char ret_from[DYNAMO_KEY], char ret_until[DYNAMO_KEY])
{
	if (*from)
		time_key(id_us(from), ret_from);
	else
		snprintf(ret_from, DYNAMO_KEY, FIRST);
	if (!strcmp(until, LAST))
		snprintf(ret_until, DYNAMO_KEY, LAST);
	else if (strlen(until) == UUID_TEXT - 1)
		dynamo_key(until, ret_until);
	else
		time_key(id_us(until), ret_until);
}

void dynamo_put_text(struct buffer *out, const char *name, const char *text)
{
	json_write_name(out, name);
	json_put_open(out, "S");
	json_write_text(out, text);
	buffer_putc(out, '}');
}

static void put_present(struct buffer *out, const char *name, const char *text)
{
	if (text)
		dynamo_put_text(out, name, text);
}

static const char *organization_of(const struct audit_entry *a)
{
	return a->organization_id ? a->organization_id : AUDIT_INSTALLATION;
}

static void put_user_key(struct buffer *out, const struct audit_entry *a)
{
	_cleanup_(buffer_done) struct buffer key = BUFFER_INIT;

	buffer_printf(&key, "%s_%s", organization_of(a), a->user_id);
	dynamo_put_text(out, "org_user_id", key.data);
}

void dynamo_item_write(const struct audit_entry *a, struct buffer *out)
{
	char key[DYNAMO_KEY];

	dynamo_key(a->id, key);
	buffer_putc(out, '{');
	dynamo_put_text(out, "org_id", organization_of(a));
	dynamo_put_text(out, "timestamp_id", key);
	if (a->user_id)
		put_user_key(out, a);
	dynamo_put_text(out, "id", a->id);
	dynamo_put_text(out, "event", a->event);
	dynamo_put_text(out, "description", a->description);
	dynamo_put_text(out, "source_ip", a->source_ip);
	put_present(out, "user_id", a->user_id);
	put_present(out, "token_id", a->token_id);
	json_write_name(out, "created_at");
	buffer_printf(out, "{\"N\":\"%" PRId64 "\"}}", a->created_at);
}

const char *dynamo_text(struct span item, const char *name, struct arena *arena)
{
	struct span attribute, text;

	if (!scan_find(item, name, &attribute) || attribute.data[0] != '{' ||
	    (!scan_find(attribute, "S", &text) && !scan_find(attribute, "N", &text)) || !scan_text(text, arena, &text))
		return NULL;
	return arena_strndup(arena, text.data, text.length);
}

static char *text_of(struct span item, const char *name, struct arena *arena)
{
	return (char *)dynamo_text(item, name, arena);
}

/* The keys of what it would be put as. */
static bool has_keys(struct span item, const struct audit_entry *a, struct arena *arena)
{
	const char *sort = dynamo_text(item, "timestamp_id", arena), *user = dynamo_text(item, "org_user_id", arena);
	const char *organization = organization_of(a);
	char key[DYNAMO_KEY];

	dynamo_key(a->id, key);
	if (!sort || strcmp(sort, key) || !user != !a->user_id)
		return false;
	return !user || !strcmp(user, arena_printf(arena, "%s_%s", organization, a->user_id));
}

int dynamo_item_read(struct span item, struct arena *arena, struct audit_entry *ret_entry)
{
	struct audit_entry a = { .id = text_of(item, "id", arena), .event = text_of(item, "event", arena),
				 .description = text_of(item, "description", arena), .source_ip = text_of(item, "source_ip", arena),
				 .organization_id = text_of(item, "org_id", arena), .user_id = text_of(item, "user_id", arena),
				 .token_id = text_of(item, "token_id", arena) };
	const char *created = dynamo_text(item, "created_at", arena);
	char *end = NULL;

	if (!a.id || !uuid_valid(a.id) || !a.event || !a.description || !a.source_ip || !a.organization_id || !created)
		return 0;
	errno = 0;
	a.created_at = strtoll(created, &end, 10);
	if (errno || *end || end == created || a.created_at < 0)
		return 0;
	if (!strcmp(a.organization_id, AUDIT_INSTALLATION))
		a.organization_id = NULL;
	if (!has_keys(item, &a, arena))
		return 0;
	*ret_entry = a;
	return 1;
}
