/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of updates: in the row, or, where there is a store for large ones, an object that the row names. A list of
 * updates reads each text once: from one update to the next it mostly stays the same.
 */
#include "base/fault.h"
#include "base/limits.h"
#include "base/map.h"
#include "update/internal.h"
#include "object/object.h"

int configuration_check(const struct app *app, struct span text, struct err *e)
{
	unsigned long long limit = row_object_store(app, ROW_OBJECT_CONFIGURATION) ? LIMIT_CONFIG_OBJECT : LIMIT_CONFIG_BYTES;

	if (text.length <= limit)
		return 1;
	return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: 'config' has %zu bytes, at most %llu are allowed", text.length, limit);
}

int configuration_keep(struct app *app, const char *stack_id, const char *update_id, struct span text,
		       struct configuration *ret_kept, struct err *e)
{
	struct configuration kept = { .row = text };

	if (row_object_store(app, ROW_OBJECT_CONFIGURATION) && text.length > LIMIT_CONFIG_ROW) {
		kept = (struct configuration){ .row = SPAN("{}"), .in_object = true, .bytes = (int64_t)text.length };
		sha256(text, kept.digest);
		if (row_object_put(app, ROW_OBJECT_CONFIGURATION, stack_id, update_id, kept.digest, text, e) < 0)
			return -1;
		fault_point("configuration.kept");
	}
	*ret_kept = kept;
	return 1;
}

/* What an answer has in memory is known before anything is read. */
static int check_sum(const struct update_info *list, size_t count, struct err *e)
{
	unsigned long long bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += (unsigned long long)list[i].config_bytes;
	if (bytes <= LIMIT_HISTORY_CONFIG)
		return 1;
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the large configurations of these %zu updates have %llu bytes together, and an "
		       "answer has at most %llu: ask for fewer updates at once, with page and pageSize", count, bytes, LIMIT_HISTORY_CONFIG);
}

static int load(struct app *app, const struct update_info *u, struct arena *arena, struct span *ret_text, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	if (row_object_load_text(app, ROW_OBJECT_CONFIGURATION, u->stack_id, u->id, u->config_sha256, &text, e) < 0)
		return -1;
	*ret_text = (struct span){ arena_strndup(arena, text.data, text.length), text.length };
	return 1;
}

int update_load_configurations(struct app *app, struct update_info *list, size_t count, struct arena *arena, struct err *e)
{
	_cleanup_(map_done) struct map texts = MAP_INIT;

	if (check_sum(list, count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct update_info *u = &list[i], *same;

		if (!u->config_sha256.data)
			continue;
		same = map_get(&texts, u->config_sha256);
		if (same) {
			u->config = same->config;
			continue;
		}
		if (load(app, u, arena, &u->config, e) < 0)
			return -1;
		*map_put(&texts, u->config_sha256) = u;
	}
	return 1;
}
