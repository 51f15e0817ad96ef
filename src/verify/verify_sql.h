/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_VERIFY_SQL_H
#define VERIFY_VERIFY_SQL_H

#include "crypto/crypto.h"
#include "db/db.h"

struct verify_row {
	char *id, *place, *stack_id, *object_id, *organization_id, *organization, *project, *name, *value;
	struct span sha256, body, tags, sealed;
	int64_t version, bytes, resources, first_sequence, last_sequence;
	bool gzip;
};

/* Those of rows.c answer the places that are wrong. */
extern const struct stmt VERIFY_MEMBER_USER, VERIFY_MEMBER_ORGANIZATION, VERIFY_ORGANIZATION_ADMIN, VERIFY_ORGANIZATION_OWNER,
	VERIFY_TOKEN_USER, VERIFY_ISSUER_POLICY, VERIFY_POLICY_ISSUER, VERIFY_DEFAULT_ORGANIZATION, VERIFY_STACK_ORGANIZATION, VERIFY_STACK_NAME, VERIFY_STACK_VERSION,
	VERIFY_STACK_STATE, VERIFY_STACK_STATE_NEWEST, VERIFY_STACK_RESOURCES, VERIFY_STACK_ACTIVE, VERIFY_LOCK,
	VERIFY_RUNNING_LOCK, VERIFY_UPDATE_STACK, VERIFY_UPDATE_ORGANIZATION, VERIFY_UPDATE_BASE, VERIFY_CHECKPOINT_STACK, VERIFY_KEY_STACK,
	VERIFY_TAG_STACK, VERIFY_PACK_ORGANIZATION, VERIFY_GROUP_ORGANIZATION, VERIFY_GROUP_PACK;
extern const struct stmt VERIFY_STACKS, VERIFY_TAGS, VERIFY_CHECKPOINTS, VERIFY_RUNNING, VERIFY_JOURNALS, VERIFY_JOURNAL,
	VERIFY_EVENTS, VERIFY_EVENT, VERIFY_CONFIGURATIONS, VERIFY_POLICIES, VERIFY_KEYS, VERIFY_PACK_VERSIONS;
extern const struct db_column verify_place_columns[], verify_stack_columns[], verify_tag_columns[], verify_checkpoint_columns[],
	verify_running_columns[], verify_id_columns[], verify_batch_columns[], verify_event_columns[], verify_configuration_columns[], verify_policy_columns[], verify_key_columns[], verify_pack_columns[];

#endif
