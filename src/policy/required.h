/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for a stack: the packs of all policy groups that it belongs to. A pack that several of them apply counts once,
 * since a command line can load only one: in its highest version, and of that as a group configures it that is not the
 * default one, the first by name.
 */
#ifndef POLICY_REQUIRED_H
#define POLICY_REQUIRED_H

#include "policy/pack.h"
#include "stack/stack.h"

struct required_pack {
	char *id, *name, *display_name, *version_tag;	/* version_tag "": none */
	int64_t version;
	struct span sha256, config, environments;	/* config, environments: JSON; data NULL: none */
	const char *location;				/* where the archive can be fetched for a while */
};

/*
 * Of the groups with that mode ("preventative", "audit"; NULL: any), by name. `base`: where clients reach this server. An
 * internal error when packs are required and their store is not configured any more: nothing is left out in silence. A stack
 * that does not exist requires nothing.
 */
int required_packs(struct app *app, const struct caller *c, const struct stack_path *path, const char *mode, const char *base,
		   struct arena *arena, struct required_pack **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;

#endif
