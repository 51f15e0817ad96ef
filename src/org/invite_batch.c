/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations that are mailed, many at once: each statement is about a list. What comes several times in a list is sent in
 * as many rounds, so that no round has an address twice and each of them ends the links of the one before.
 */
#include <strings.h>

#include "base/limits.h"
#include "mail/limit.h"
#include "org/invite_internal.h"
#include "org/invite_sql.h"

struct sending {
	struct db *db;
	const struct mail_config *config;
	const struct caller *caller;
	int64_t now_us;
	struct arena *arena;
	/* One round: addresses that differ, and where the outcome of each goes. */
	const struct invite_wanted *wanted[LIMIT_INVITES];
	struct invite_made *made[LIMIT_INVITES];
	size_t count;
};

static bool same_address(const char *one, const char *other)
{
	return !strcasecmp(one, other);
}

/* Places of a statement for the addresses from `from` on. */
static void put_places(const struct sending *s, size_t from, struct db_value *values)
{
	for (size_t i = 0; i < DB_PLACES; i++)
		values[i] = db_text(from + i < s->count ? s->wanted[from + i]->email : NULL);
}

/* Leaves those that are to be kept, in their order. */
static void keep(struct sending *s, const bool *kept)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		if (kept[i]) {
			s->wanted[n] = s->wanted[i];
			s->made[n++] = s->made[i];
		}
	s->count = n;
}

/* What the database takes for the same address, since it knows no accents, need not be the same. */
static int drop_members(struct sending *s, struct err *e)
{
	bool kept[LIMIT_INVITES];
	struct invite_address *members;
	size_t count;

	for (size_t i = 0; i < s->count; i++)
		kept[i] = true;
	for (size_t from = 0; from < s->count; from += DB_PLACES) {
		struct db_value values[1 + DB_PLACES] = { db_text(s->caller->organization_id) };

		put_places(s, from, values + 1);
		if (db_all(s->db, &INVITE_MEMBERS, values, 1 + DB_PLACES, invite_address_columns, sizeof(*members), s->arena,
			   (void **)&members, &count, e) < 0)
			return -1;
		for (size_t i = from; i < s->count && i < from + DB_PLACES; i++)
			for (size_t k = 0; k < count; k++)
				kept[i] &= !same_address(members[k].email, s->wanted[i]->email);
	}
	keep(s, kept);
	return 1;
}

static int take_limits(struct sending *s, struct err *e)
{
	const char *whats[LIMIT_INVITES];
	bool kept[LIMIT_INVITES];

	if (s->count && invite_check_sender(s->db, s->caller, s->count, s->now_us, e) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++)
		whats[i] = invite_limit(s->wanted[i]->email, s->arena);
	if (limit_take_each(s->db, whats, s->count, LIMIT_MAILS_PER_ADDRESS, s->now_us, kept, e) < 0)
		return -1;
	keep(s, kept);
	return 1;
}

static int cancel_earlier(struct sending *s, struct err *e)
{
	for (size_t from = 0; from < s->count; from += DB_PLACES) {
		struct db_value values[1 + DB_PLACES] = { db_text(s->caller->organization_id) };

		put_places(s, from, values + 1);
		if (db_exec(s->db, &INVITE_CANCEL_FOR, values, 1 + DB_PLACES, NULL, e) < 0)
			return -1;
	}
	return 1;
}

/* Of INVITES_AT_ONCE places those that are left over are NULL and make no row. */
static int create_some(struct sending *s, size_t from, struct err *e)
{
	struct db_value values[5 + 4 * INVITES_AT_ONCE] = { db_text(s->caller->organization_id), db_text(identity_author(s->caller)),
							    db_time(s->now_us), db_time(s->now_us),
							    db_time(s->now_us + INVITE_DAYS * DAY_US) };

	for (size_t i = 0; i < INVITES_AT_ONCE && from + i < s->count; i++) {
		char *id = arena_alloc(s->arena, UUID_TEXT), secret[BEARER_TEXT];
		unsigned char *digest = arena_alloc(s->arena, SHA256_BYTES);
		struct db_value *row = values + 5 + 4 * i;

		uuid_new(s->now_us, id);
		bearer_new("", secret, digest);
		row[0] = db_text(id);
		row[1] = db_bytes((struct span){ (char *)digest, SHA256_BYTES });
		row[2] = db_text(s->wanted[from + i]->email);
		row[3] = db_text(s->wanted[from + i]->role->id);
		*s->made[from + i] = (struct invite_made){ id, invite_link(s->caller, secret, s->arena) };
	}
	return db_exec(s->db, &INVITE_CREATE_ALL, values, sizeof(values) / sizeof(values[0]), NULL, e);
}

static int create_all(struct sending *s, struct err *e)
{
	if (s->count && invite_check_count(s->db, s->caller, s->count, s->now_us, e) < 0)
		return -1;
	for (size_t from = 0; from < s->count; from += INVITES_AT_ONCE)
		if (create_some(s, from, e) < 0)
			return -1;
	return 1;
}

static int queue_mails(struct sending *s, struct err *e)
{
	struct mail *mails = arena_alloc(s->arena, s->count * sizeof(*mails));

	for (size_t i = 0; i < s->count; i++)
		mails[i] = invite_mail(s->caller, s->wanted[i]->email, s->made[i]->link, s->now_us, s->arena);
	return mail_queue_all(s->db, s->config, mails, s->count, s->now_us, e);
}

static bool in_round(const struct sending *s, const char *email)
{
	for (size_t i = 0; i < s->count; i++)
		if (same_address(s->wanted[i]->email, email))
			return true;
	return false;
}

/* What is left goes into the next round, an address once; how many are left after it. */
static size_t next_round(struct sending *s, const struct invite_wanted *list, size_t count, bool *done, struct invite_made *ret_list)
{
	size_t left = 0;

	s->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (done[i])
			continue;
		if (in_round(s, list[i].email)) {
			left++;
			continue;
		}
		done[i] = true;
		s->wanted[s->count] = &list[i];
		s->made[s->count++] = &ret_list[i];
	}
	return left;
}

int invite_send_all(struct db *db, const struct mail_config *config, const struct caller *c, const struct invite_wanted *list,
		    size_t count, int64_t now_us, struct arena *arena, struct invite_made *ret_list, struct err *e)
{
	struct sending s = { .db = db, .config = config, .caller = c, .now_us = now_us, .arena = arena };
	struct invite_made *made = arena_alloc(arena, count * sizeof(*made));
	bool done[LIMIT_INVITES] = { false };
	size_t left = count;

	while (left) {
		left = next_round(&s, list, count, done, made);
		if (drop_members(&s, e) < 0 || take_limits(&s, e) < 0 || cancel_earlier(&s, e) < 0 || create_all(&s, e) < 0 ||
		    queue_mails(&s, e) < 0)
			return -1;
	}
	memcpy(ret_list, made, count * sizeof(*made));
	return 1;
}
