/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An organization as a console shows it first. There are no settings for what members may do, and no plans: what is said about
 * both is read off routes.def, and what this server has no part for is empty or off.
 */
#include "org/metadata.h"

#include "api/route.h"
#include "base/settings.h"
#include "org/licence.h"

struct features {
#define FEATURE(name, method, path) bool name;
#define WITHOUT(name) bool name;
#include "org/feature.def"
#undef FEATURE
#undef WITHOUT
};

static const struct field features_fields[] = {
#define WITHOUT(name) FIELD(features, name, #name, FIELD_BOOL),
#define FEATURE(name, method, path) WITHOUT(name)
#include "org/feature.def"
#undef FEATURE
#undef WITHOUT
	{ 0 },
};

static struct features features_served(void)
{
	return (struct features){
#define FEATURE(name, method, path) .name = route_of(#method, path) != NULL,
#define WITHOUT(name)
#include "org/feature.def"
#undef FEATURE
#undef WITHOUT
	};
}

/* Whether an operation is served, and every member may call it. */
static bool member_may(const char *method, const char *path)
{
	const struct route *r = route_of(method, path);

	return r && access_of_member(r->access);
}

/* What members can do. */
struct member_rights {
	int64_t stack_permission, account_permission;
	const char *environment_permission;
	bool create_stacks, delete_stacks, transfer_stacks, create_teams, create_accounts;
};

#define STACK_PERMISSION_NONE 0	/* the API's numbers */
#define STACK_PERMISSION_READ 101
#define STACK_PERMISSION_WRITE 102
#define STACK_PERMISSION_ADMIN 103
#define ACCOUNT_PERMISSION_NONE 0

static struct member_rights rights_of_members(void)
{
	return (struct member_rights){
		.stack_permission = access_of_member(STACK_DELETE) ? STACK_PERMISSION_ADMIN :
				    access_of_member(STACK_WRITE)  ? STACK_PERMISSION_WRITE :
				    access_of_member(STACK_READ)   ? STACK_PERMISSION_READ :
								     STACK_PERMISSION_NONE,
		.account_permission = ACCOUNT_PERMISSION_NONE,
		.environment_permission = "none",
		.create_stacks = member_may("POST", "/api/stacks/{}/{}"),
		.delete_stacks = member_may("DELETE", "/api/stacks/{}/{}/{}"),
		.transfer_stacks = member_may("POST", "/api/stacks/{}/{}/{}/transfer"),
		.create_teams = member_may("POST", "/api/orgs/{}/teams/pulumi"),
		.create_accounts = member_may("POST", "/api/preview/insights/{}/accounts/{}"),
	};
}

/* Assistants that answer with a language model: there are none here, and the API has a member for each way to have none. */
struct assistants {
	const char *enablement, *approval_mode, *task_sharing_mode;
	bool enabled, agent_disabled, explanations_disabled, language_search_disabled;
};

static const struct assistants no_assistants = { "disabled", "manual", "none", false, true, true, true };

struct metadata_reply {
	struct organization_metadata organization;
	const char *kind, *role, *preferred_vcs, *locked;
	int64_t account_count, environment_count, licence_ends_at;
	bool trial;
	struct member_rights members;
	struct assistants assistants;
	struct features features;
};

const struct field organization_metadata_reply_fields[] = {
	FIELD(metadata_reply, organization.id, "id", FIELD_TEXT),
	FIELD(metadata_reply, organization.created_at, "created", FIELD_DATE),
	FIELD(metadata_reply, kind, "kind", FIELD_TEXT, .help = "single-user for the individual organization of a user, else pulumi."),
	FIELD(metadata_reply, role, "userRole", FIELD_TEXT, .help = "What the caller is: admin or member."),
	FIELD(metadata_reply, locked, "locked", FIELD_TEXT),
	FIELD(metadata_reply, organization.member_count, "memberCount", FIELD_INT),
	FIELD(metadata_reply, organization.stack_count, "stackCount", FIELD_INT),
	FIELD(metadata_reply, environment_count, "environmentCount", FIELD_INT),
	FIELD(metadata_reply, account_count, "accountCount", FIELD_INT),
	FIELD(metadata_reply, members.stack_permission, "defaultStackPermission", FIELD_INT,
	      .help = "What members may do with every stack: 0 nothing, 101 read, 102 write, 103 delete as well."),
	FIELD(metadata_reply, members.environment_permission, "defaultEnvironmentPermission", FIELD_TEXT),
	FIELD(metadata_reply, members.account_permission, "defaultAccountPermission", FIELD_INT),
	FIELD(metadata_reply, members.create_stacks, "membersCanCreateStacks", FIELD_BOOL),
	FIELD(metadata_reply, members.delete_stacks, "membersCanDeleteStacks", FIELD_BOOL),
	FIELD(metadata_reply, members.transfer_stacks, "membersCanTransferStacks", FIELD_BOOL),
	FIELD(metadata_reply, members.create_teams, "membersCanCreateTeams", FIELD_BOOL),
	FIELD(metadata_reply, members.create_accounts, "membersCanCreateAccounts", FIELD_BOOL),
	FIELD(metadata_reply, preferred_vcs, "preferredVCS", FIELD_TEXT),
	FIELD(metadata_reply, assistants.enablement, "aiEnablement", FIELD_TEXT),
	FIELD(metadata_reply, assistants.enabled, "neoEnabled", FIELD_BOOL),
	FIELD(metadata_reply, assistants.agent_disabled, "neoAgentDisabled", FIELD_BOOL),
	FIELD(metadata_reply, assistants.explanations_disabled, "neoCLIExplanationsDisabled", FIELD_BOOL),
	FIELD(metadata_reply, assistants.approval_mode, "neoApprovalMode", FIELD_TEXT),
	FIELD(metadata_reply, assistants.task_sharing_mode, "neoTaskSharingMode", FIELD_TEXT),
	FIELD(metadata_reply, assistants.language_search_disabled, "naturalLanguageSearchDisabled", FIELD_BOOL),
	FIELD(metadata_reply, trial, "insightsTrialUsingPolicy", FIELD_BOOL),
	FIELD(metadata_reply, licence_ends_at, "subscriptionPeriodEnd", FIELD_DATE, .flags = FIELD_OMIT_EMPTY,
	      .help = "When the key in PULUMI_LICENSE_KEY ends, if it says so. Nothing depends on it."),
	FIELD(metadata_reply, features.auditLogsEnabled, "auditLogsEnabled", FIELD_BOOL),
	FIELD(metadata_reply, features.webhooksEnabled, "webhooksEnabled", FIELD_BOOL),
	FIELD(metadata_reply, features, "features", FIELD_OBJECT, .fields = features_fields),
	{ 0 },
};

/* GetOrganizationMetadata */
int api_get_organization_metadata(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct metadata_reply reply = { .licence_ends_at = -1 };

	if (metadata_read(rq->db, &rq->caller, rq->arena, &reply.organization, e) < 0)
		return -1;

	(void)licence_ends_at(setting("PULUMI_LICENSE_KEY"), &reply.licence_ends_at);
	reply.kind = reply.organization.individual ? "single-user" : "pulumi";
	reply.role = rq->caller.role;
	reply.preferred_vcs = "none";
	reply.locked = "not-locked";
	reply.members = rights_of_members();
	reply.assistants = no_assistants;
	reply.features = features_served();
	return reply_json(rp, organization_metadata_reply_fields, &reply);
}
