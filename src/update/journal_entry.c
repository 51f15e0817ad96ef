/* SPDX-License-Identifier: Apache-2.0 */
#include "update/journal_entry.h"

#include "json/scan.h"

enum member {
	VERSION, KIND, SEQUENCE, OPERATION_ID, REMOVE_OLD, REMOVE_NEW, PENDING_OLD, PENDING_NEW, DELETE_OLD, DELETE_NEW,
	STATE, OPERATION, SECRETS, SNAPSHOT, SNIPPETS, EXTENSION_REF, EXTENSION, IS_REFRESH, BYTE_STRING, MEMBER_COUNT
};

static const char *const names[MEMBER_COUNT] = {
	"version", "kind", "sequenceID", "operationID", "removeOld", "removeNew", "pendingReplacementOld",
	"pendingReplacementNew", "deleteOld", "deleteNew", "state", "operation", "secretsProvider", "newSnapshot",
	"snippets", "extensionRef", "extension", "isRefresh", "requiresByteString",
};

static int wrong(enum member m, const char *expected, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: a journal entry's '%s' must be %s", names[m], expected);
}

static int number(const struct span *values, enum member m, int64_t absent, int64_t *ret, struct err *e)
{
	*ret = absent;
	if (values[m].data && (!scan_int(values[m], ret) || *ret < 0))
		return wrong(m, "a whole number from 0", e);
	return 1;
}

static int numbers(const struct span *v, struct journal_entry *entry, struct err *e)
{
	const struct {
		enum member member;
		int64_t *to;
	} table[] = {
		{ REMOVE_OLD, &entry->remove_old },	       { REMOVE_NEW, &entry->remove_new },
		{ PENDING_OLD, &entry->pending_replacement_old }, { PENDING_NEW, &entry->pending_replacement_new },
		{ DELETE_OLD, &entry->delete_old },	       { DELETE_NEW, &entry->delete_new },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (number(v, table[i].member, -1, table[i].to, e) < 0)
			return -1;
	return number(v, OPERATION_ID, 0, &entry->operation, e);
}

/* Each must start as its kind of value does: the scanner has checked the rest. */
static int typed(const struct span *v, struct err *e)
{
	static const struct {
		enum member member;
		char first;
		const char *expected;
	} table[] = {
		{ STATE, '{', "an object" },	 { OPERATION, '{', "an object" },  { SECRETS, '{', "an object" },
		{ SNAPSHOT, '{', "an object" },	 { SNIPPETS, '[', "a list" },	   { EXTENSION_REF, '"', "a string" },
		{ EXTENSION, '{', "an object" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (v[table[i].member].data && v[table[i].member].data[0] != table[i].first)
			return wrong(table[i].member, table[i].expected, e);
	return 1;
}

static int truth(const struct span *values, enum member m, bool *ret, struct err *e)
{
	*ret = values[m].data && values[m].data[0] == 't';
	if (values[m].data && !*ret && values[m].data[0] != 'f')
		return wrong(m, "true or false", e);
	return 1;
}

/* What the kind cannot do without. */
static int complete(const struct journal_entry *entry, struct err *e)
{
	if (entry->kind == ENTRY_WRITE && !entry->new_snapshot.data)
		return wrong(SNAPSHOT, "there in an entry of kind 5", e);
	if (entry->kind == ENTRY_SECRETS_MANAGER && !entry->secrets_provider.data)
		return wrong(SECRETS, "there in an entry of kind 6", e);
	if (entry->kind == ENTRY_EXTENSION_PARAMETERIZE && (!entry->extension.data || !entry->extension_ref.data))
		return wrong(EXTENSION, "there, with extensionRef, in an entry of kind 8", e);
	return 1;
}

static int read_values(const struct span *v, struct journal_entry *ret_entry, struct err *e)
{
	struct journal_entry entry = { 0 };
	int64_t version, kind;

	if (number(v, VERSION, 0, &version, e) < 0 || number(v, KIND, ENTRY_KIND_COUNT, &kind, e) < 0 ||
	    number(v, SEQUENCE, 0, &entry.sequence, e) < 0 || numbers(v, &entry, e) < 0 || typed(v, e) < 0)
		return -1;
	if (version != 1)
		return wrong(VERSION, "1: this server knows no other journal; update it or set PULUMI_DISABLE_JOURNALING=1", e);
	if (kind >= ENTRY_KIND_COUNT)
		return wrong(KIND, "from 0 to 9: this server knows no other; update it or set PULUMI_DISABLE_JOURNALING=1", e);
	if (entry.sequence < 1 || entry.sequence == INT64_MAX)
		return wrong(SEQUENCE, "a whole number from 1", e);
	entry.kind = (enum journal_entry_kind)kind;
	entry.state = v[STATE];
	entry.begun = v[OPERATION];
	entry.secrets_provider = v[SECRETS];
	entry.new_snapshot = v[SNAPSHOT];
	entry.snippets = v[SNIPPETS];
	entry.extension_ref = v[EXTENSION_REF];
	entry.extension = v[EXTENSION];
	if (truth(v, IS_REFRESH, &entry.is_refresh, e) < 0 || truth(v, BYTE_STRING, &entry.requires_byte_string, e) < 0 ||
	    complete(&entry, e) < 0)
		return -1;
	*ret_entry = entry;
	return 1;
}

static int no_object(struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: each journal entry must be an object");
}

int journal_entry_read(struct span json, struct journal_entry *ret_entry, struct err *e)
{
	struct span v[MEMBER_COUNT];

	if (json.data[0] != '{')
		return no_object(e);
	scan_pick(json, names, MEMBER_COUNT, v);
	return read_values(v, ret_entry, e);
}

int journal_entry_next(struct scan *list, struct span *ret_text, struct journal_entry *ret_entry, struct err *e)
{
	struct span v[MEMBER_COUNT], text;

	if (!scan_pick_next(list, names, MEMBER_COUNT, &text, v))
		return 0;
	if (text.data[0] != '{')
		return no_object(e);
	*ret_text = text;
	return read_values(v, ret_entry, e);
}

void journal_entry_move(struct journal_entry *entry, const char *from, const char *to)
{
	struct span *spans[] = { &entry->state, &entry->begun, &entry->secrets_provider, &entry->new_snapshot,
				 &entry->snippets, &entry->extension_ref, &entry->extension };

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (spans[i]->data)
			spans[i]->data = to + (spans[i]->data - from);
}
