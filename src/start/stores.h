/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object stores that settings name: one for each kind of thing that is kept. Those that nothing uses yet are
 * known all the same, so that a wrong address shows at the start and not with the first policy pack.
 */
#ifndef START_STORES_H
#define START_STORES_H

#include "base/arena.h"
#include "blob/blob.h"

enum store {
	STORE_CHECKPOINTS,
	STORE_POLICY_PACKS,
	STORE_ENGINE_EVENTS,
	STORE_SERVICE_METADATA,
	STORE_REGISTRY_PUBLIC,
	STORE_REGISTRY_PRIVATE,
	STORE_COUNT
};

/* What is kept there, as people say it: "engine events". */
const char *store_name(enum store store);
/*
 * The setting that says where it is, and that place as blob_open takes it: 1, or 0 when no setting says it and none must.
 * -1 with a sentence in e->detail when two do, or when one must.
 */
int store_place(enum store store, struct arena *arena, const char **ret_setting, const char **ret_place, struct err *e) WARN_UNUSED;
/* 1 opened, with `try` also asked for something; 0 not configured; -1 with a sentence that names the setting. */
int store_open(enum store store, bool try, struct blob_store **ret_store, struct err *e) WARN_UNUSED;
/*
 * Writes, reads, lists and deletes an object there; policy packs must not lie where the checkpoints are. 1 it works,
 * 0 not configured; -1 with a sentence that names the setting.
 */
int store_try(enum store store, struct err *e) WARN_UNUSED;

#endif
