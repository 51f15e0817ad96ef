/* SPDX-License-Identifier: Apache-2.0 */
#include "start/keys.h"

#include <string.h>

#include "base/settings.h"

static const char local[] = "PULUMI_LOCAL_KEYS", kms[] = "PULUMI_KMS_KEY", vault[] = "PULUMI_AZURE_KV_URI",
		  vault_key[] = "PULUMI_AZURE_KV_KEY_NAME", vault_version[] = "PULUMI_AZURE_KV_KEY_VERSION", others[] = "PULUMI_OTHER_KEYS";

/* Exactly one of the places that seal. */
static int choose(const char **ret_name, struct err *e)
{
	static const char *const names[] = { local, kms, vault };
	const char *chosen = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!setting(names[i]))
			continue;
		if (chosen)
			return err_internal(e, "%s, %s: only one of them can seal; put the place of the other into %s, where its keys open "
					    "until pulumi-admin key move has moved what they sealed", chosen, names[i], others);
		chosen = names[i];
	}
	if (setting(vault_key) && !setting(vault))
		return err_internal(e, "%s is set, but %s, the address of the vault, is not", vault_key, vault);
	if (!chosen)
		return err_internal(e, "%s, %s, %s: set one of them, what seals the keys of the stacks", local, kms, vault);
	*ret_name = chosen;
	return 1;
}

static int vault_place(struct arena *arena, const char **ret_where, struct err *e)
{
	const char *uri = setting(vault), *key = setting(vault_key), *version = setting(vault_version);
	size_t n = strlen(uri);

	if (strncmp(uri, "https://", strlen("https://")))
		return err_internal(e, "%s: '%s' must be an address like https://NAME.vault.azure.net", vault, uri);
	if (!key)
		return err_internal(e, "%s is not set: the name of the key in %s", vault_key, uri);
	if (strchr(key, '/') || (version && strchr(version, '/')))
		return err_internal(e, "%s: '%s' must be a name, without '/'", strchr(key, '/') ? vault_key : vault_version,
				    strchr(key, '/') ? key : version);
	*ret_where = arena_printf(arena, "%.*s/keys/%s%s%s", (int)(n - (uri[n - 1] == '/')), uri, key, version ? "/" : "", version ? version : "");
	return 1;
}

static int add_others(struct arena *arena, struct keys *keys, struct err *e)
{
	const char *at = setting(others);

	for (at = at ? at + strspn(at, " \t\n") : ""; *at; at += strspn(at, " \t\n")) {
		size_t n = strcspn(at, " \t\n");

		if (keys_add(keys, others, arena_strndup(arena, at, n), e) < 0)
			return -1;
		at += n;
	}
	return 1;
}

static int set_limits(struct keys *keys, struct err *e)
{
	int64_t fresh_s, outage_s;

	if (setting_int("PULUMI_KEY_CACHE_SECONDS", 0, 3600, &fresh_s, e) < 0 ||
	    setting_int("PULUMI_KEY_OUTAGE_SECONDS", 0, 86400, &outage_s, e) < 0)
		return -1;
	keys_remember(keys, fresh_s * 1000000, outage_s * 1000000);
	return 1;
}

int start_keys(struct arena *arena, bool try, struct keys **ret_keys, struct err *e)
{
	const char *name, *where;

	if (choose(&name, e) < 0)
		return -1;
	where = setting(name);
	if ((!strcmp(name, vault) && vault_place(arena, &where, e) < 0) || keys_open(name, where, try, ret_keys, e) < 0)
		return -1;
	return set_limits(*ret_keys, e) < 0 || add_others(arena, *ret_keys, e) < 0 ? -1 : 1;
}
