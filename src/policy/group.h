/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy groups: which policy packs hold for which stacks. Each organization has the group default-policy-group, to which
 * every stack belongs that was not taken out of it; the others have those that were added. A stack may belong to
 * several. In a preventative group the command line enforces the packs; in an audit group nothing does so here: it is
 * what somebody else may read. Groups of insights accounts are known and stay empty, as there are none here.
 */
#ifndef POLICY_GROUP_H
#define POLICY_GROUP_H

#include "policy/pack.h"
#include "stack/stack.h"

#define DEFAULT_GROUP "default-policy-group"

struct policy_group {
	char *id, *name, *entity_type, *mode, *agent_pool_id;	/* agent_pool_id "": none */
	bool is_default;
	int64_t stacks, packs;		/* how many it has; 0 where only the group was asked for */
};

struct group_wish {
	const char *name, *entity_type, *mode, *agent_pool_id;	/* mode NULL: as is usual for the type; agent_pool_id NULL: none */
};

struct group_stack {
	char *name, *project;
};

struct group_pack {
	char *pack_id, *name, *display_name, *version_tag;
	int64_t version;
	struct span config, environments;	/* JSON; data NULL: none */
};

/* By name, with their counts. Makes the default one when it is not there yet. */
int group_list(struct db *db, const struct caller *c, int64_t now_us, struct arena *arena, struct policy_group **ret_list,
	       size_t *ret_count, struct err *e) WARN_UNUSED;
/* The same of those that a stack of the caller's organization belongs to. */
int group_list_of_stack(struct db *db, const struct caller *c, const char *stack_id, int64_t now_us, struct arena *arena,
			struct policy_group **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/* 1, or -1 with 404. Makes the default one when it is not there yet. */
int group_find(struct db *db, const struct caller *c, const char *name, int64_t now_us, struct arena *arena,
	       struct policy_group *ret_group, struct err *e) WARN_UNUSED;
int group_stacks(struct db *db, const struct caller *c, const struct policy_group *group, struct arena *arena,
		 struct group_stack **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
int group_packs(struct db *db, const struct caller *c, const struct policy_group *group, struct arena *arena,
		struct group_pack **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;

/* 400, 409 when the name is taken. In a transaction. */
int group_create(struct db *db, const struct caller *c, const struct group_wish *wish, int64_t now_us, struct arena *arena,
		 struct err *e) WARN_UNUSED;
/*
 * Applies one change, the JSON object of a client (UpdatePolicyGroupRequest): newName, addStack, removeStack, addPolicyPack,
 * removePolicyPack, addInsightsAccount, removeInsightsAccount, agentPoolId, and the lists stacks, policyPacks, insightsAccounts
 * that replace what there is. 400, 404, 409. In a transaction; `source_ip` is for the audit log.
 */
int group_change(struct db *db, const struct caller *c, const char *name, struct span change, int64_t now_us, const char *source_ip,
		 struct arena *arena, struct err *e) WARN_UNUSED;
/* The same for a JSON list of such objects, in order, at most LIMIT_GROUP_CHANGES. */
int group_change_all(struct db *db, const struct caller *c, const char *name, struct span list, int64_t now_us, const char *source_ip,
		     struct arena *arena, struct err *e) WARN_UNUSED;
/* 404; 400 for the default one. In a transaction. */
int group_delete(struct db *db, const struct caller *c, const char *name, int64_t now_us, struct arena *arena, struct err *e) WARN_UNUSED;

#endif
