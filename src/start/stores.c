/* SPDX-License-Identifier: Apache-2.0 */
#include "start/stores.h"

#include <assert.h>

#include "base/settings.h"

#define SETTINGS 3	/* of one store */

static const struct {
	const char *name;
	/* The settings that may say where it is: one of them does. A bucket is the bare name of one in S3. */
	const char *address, *folder, *bucket;
	bool required;
} stores[] = {
	[STORE_CHECKPOINTS] = { "checkpoints", "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT", "PULUMI_LOCAL_OBJECTS", "PULUMI_OBJECTS_BUCKET",
				true },
	[STORE_POLICY_PACKS] = { "policy packs", "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT", "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS",
				 "PULUMI_POLICY_PACK_BUCKET", false },
	[STORE_ENGINE_EVENTS] = { "engine events", "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT", NULL, NULL, false },
	[STORE_SERVICE_METADATA] = { "service metadata", "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT", NULL, NULL, false },
	[STORE_REGISTRY_PUBLIC] = { "public registry", "PULUMI_REGISTRY_PUBLIC_BLOB_STORAGE_ENDPOINT", NULL, NULL, false },
	[STORE_REGISTRY_PRIVATE] = { "private registry", "PULUMI_REGISTRY_PRIVATE_BLOB_STORAGE_ENDPOINT", NULL, NULL, false },
};
static_assert(sizeof(stores) / sizeof(stores[0]) == STORE_COUNT, "a store has no row");

const char *store_name(enum store store)
{
	return stores[store].name;
}

/* Only stores with three settings can have too many of them, or too few. */
static int wrong_number(enum store store, struct err *e)
{
	return err_internal(e, "%s, %s, %s: set one of them, where the %s are kept", stores[store].folder, stores[store].address,
			    stores[store].bucket, stores[store].name);
}

int store_place(enum store store, struct arena *arena, const char **ret_setting, const char **ret_place, struct err *e)
{
	const char *names[SETTINGS] = { stores[store].address, stores[store].folder, stores[store].bucket };
	const char *name = NULL, *place = NULL;

	for (size_t i = 0; i < SETTINGS; i++) {
		const char *value = names[i] ? setting(names[i]) : NULL;

		if (value && place)
			return wrong_number(store, e);
		if (!value)
			continue;
		name = names[i];
		place = names[i] == stores[store].bucket ? arena_printf(arena, "s3://%s", value) : value;
	}
	if (!place)
		return stores[store].required ? wrong_number(store, e) : 0;
	*ret_setting = name;
	*ret_place = place;
	return 1;
}

int store_open(enum store store, bool try, struct blob_store **ret_store, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *name, *place;
	int rc = store_place(store, &arena, &name, &place, e);

	return rc == 1 ? blob_open(name, place, try, ret_store, e) : rc;
}

static void close_store(struct blob_store **store)
{
	blob_close(*store);
}

/* Bytes that a client uploads do not belong among the states: who may write the one could replace the other. */
static int check_apart(const char *name, struct blob_store *packs, struct arena *arena, struct err *e)
{
	_cleanup_(close_store) struct blob_store *checkpoints = NULL;
	const char *other, *place;
	int rc;

	if (store_place(STORE_CHECKPOINTS, arena, &other, &place, e) < 0 || blob_open(other, place, true, &checkpoints, e) < 0)
		return -1;
	rc = blob_same(checkpoints, packs, e);
	if (rc == 1)
		return err_internal(e, "%s, %s: both name the same place; checkpoints and policy packs need a bucket or folder each, or a prefix "
				    "(?prefix=…) each", other, name);
	return rc < 0 ? -1 : 1;
}

int store_try(enum store store, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(close_store) struct blob_store *opened = NULL;
	const char *name, *place;
	struct err why = { 0 };
	int rc = store_place(store, &arena, &name, &place, e);

	if (rc <= 0)
		return rc;
	if (blob_open(name, place, true, &opened, e) < 0)
		return -1;
	if (blob_try(opened, &why) < 0)
		return err_internal(e, "%s: %s", name, why.detail[0] ? why.detail : why.message);
	return store == STORE_POLICY_PACKS ? check_apart(name, opened, &arena, e) : 1;
}
