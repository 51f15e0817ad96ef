/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A master key in Azure Key Vault: an RSA key that encrypts and decrypts in the vault and never leaves it. Its cipher binds
 * nothing, so a data key is encrypted together with the SHA-256 of what it is bound to. Each version of the key is a master
 * key of its own: the one that the place names seals, or else the current one, and all that the vault has open. The id of a
 * version is the start of the SHA-256 of its address.
 */
#include <stdio.h>
#include <string.h>

#include "secret/provider.h"
#include "secret/vault.h"

#define PLAIN_BYTES (AEAD_KEY_BYTES + SHA256_BYTES)

static const char *active_version(const struct vault *v)
{
	return v->count ? v->versions[v->active].name : "";
}

/* `version` "": the current one; ret_version is untouched on failure. */
static int seal_with(struct vault *v, const char *version, struct span bound, const unsigned char *key, struct buffer *ret_sealed,
		     size_t *ret_version, struct err *e)
{
	unsigned char plain[PLAIN_BYTES];
	int rc;

	memcpy(plain, key, AEAD_KEY_BYTES);
	sha256(bound, plain + AEAD_KEY_BYTES);
	rc = vault_operate(v, "encrypt", version, (struct span){ (const char *)plain, sizeof(plain) }, ret_sealed, ret_version, e);
	wipe(plain, sizeof(plain));
	return rc;
}

static int vault_seal(void *state, struct span bound, const unsigned char *key, struct buffer *ret_sealed, struct err *e)
{
	struct vault *v = state;

	return seal_with(v, active_version(v), bound, key, ret_sealed, NULL, e);
}

static int vault_unseal(void *state, const char *id, struct span bound, struct span sealed, unsigned char *ret_key, struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer plain = BUFFER_INIT;
	struct vault *v = state;
	unsigned char digest[SHA256_BYTES];
	int rc = vault_operate(v, "decrypt", vault_version_of(v, id)->name, sealed, &plain, NULL, e);

	if (rc != 1)
		return rc;
	sha256(bound, digest);
	if (plain.length != PLAIN_BYTES || memcmp(plain.data + AEAD_KEY_BYTES, digest, sizeof(digest)))
		return 0;
	memcpy(ret_key, plain.data, AEAD_KEY_BYTES);
	return 1;
}

/* --- at start --- */

/* Which of the three settings is wrong, unless the place came from another one. */
static const char *variable(const char *name, const char *part)
{
	return strcmp(name, "PULUMI_AZURE_KV_URI") ? name : part;
}

static const char *version_variable(const char *name, const struct vault *v)
{
	return variable(name, v->pinned ? "PULUMI_AZURE_KV_KEY_VERSION" : "PULUMI_AZURE_KV_KEY_NAME");
}

static int check_type(const char *name, const struct vault *v, const struct vault_key *key, bool seals, struct err *e)
{
	if (strcmp(key->type, "RSA") && strcmp(key->type, "RSA-HSM"))
		return err_internal(e, "%s: the key '%s' in %s is of the type %s; it must be RSA or RSA-HSM",
				    variable(name, "PULUMI_AZURE_KV_KEY_NAME"), v->key, v->base, key->type);
	if (!key->enabled)
		return err_internal(e, "%s: the key '%s' in %s%s%s is disabled; enable it", version_variable(name, v), v->key, v->base,
				    v->pinned ? ", version " : "", v->pinned ? active_version(v) : "");
	if ((seals && !key->encrypts) || !key->decrypts)
		return err_internal(e, "%s: the key '%s' in %s must allow the operations %s", variable(name, "PULUMI_AZURE_KV_KEY_NAME"), v->key,
				    v->base, seals ? "encrypt and decrypt" : "decrypt");
	return 1;
}

/* What the vault tells about the key, when it tells. */
static int check_key(const char *name, struct vault *v, bool seals, struct err *e)
{
	struct vault_key key;
	struct err inner = { 0 };
	int rc = vault_describe(v, active_version(v), &key, &inner);

	if (rc == 1)
		return check_type(name, v, &key, seals, e);
	if (rc < 0 && inner.kind == ERR_NOT_FOUND)
		return err_internal(e, "%s: %s has no key '%s'%s%s", version_variable(name, v), v->base, v->key, v->pinned ? " with the version " : "",
				    active_version(v));
	return rc < 0 ? err_internal(e, "%s: %s", name, inner.detail) : 1;
}

/* A key that cannot do both is of no use. Says which version is the current one, too. */
static int try_it(const char *name, struct vault *v, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES], opened[AEAD_KEY_BYTES];
	struct err inner = { 0 };

	random_bytes(key, sizeof(key));
	if (seal_with(v, v->pinned ? active_version(v) : "", SPAN("start"), key, &sealed, &v->active, &inner) == 1 &&
	    vault_unseal(v, v->versions[v->active].id, SPAN("start"), buffer_span(&sealed), opened, &inner) == 1 &&
	    !memcmp(key, opened, sizeof(key)))
		return 1;
	return err_internal(e, "%s: the key must be able to encrypt and decrypt: %s", variable(name, "PULUMI_AZURE_KV_KEY_NAME"),
			    inner.detail[0] ? inner.detail : "it does not give back what it encrypted");
}

/* One that only opens: the version that the place names, or all that there are. */
static int find_versions(const char *name, struct vault *v, struct err *e)
{
	struct err inner = { 0 };
	int rc = v->pinned ? 1 : vault_list_versions(v, &inner);

	if (rc == 0)
		return err_internal(e, "%s: %s does not let the versions of '%s' be listed: allow it, or add /VERSION", name, v->base, v->key);
	return rc < 0 ? err_internal(e, "%s: %s", name, inner.detail) : 1;
}

static int check(const char *name, struct vault *v, bool seals, struct err *e)
{
	struct err inner = { 0 };

	if (vault_greet(v, &inner) < 0)
		return err_internal(e, "%s: %s", name, inner.detail);
	if (check_key(name, v, seals, e) < 0)
		return -1;
	return seals ? try_it(name, v, e) : find_versions(name, v, e);
}

static void close_vault(void *state)
{
	vault_close(state);
}

/* Which versions there are, and who gives tokens, is known by the vault alone: it is asked at each start. */
static int open_vault(const char *name, const char *where, bool seals, bool try, void **ret_state, struct err *e)
{
	struct vault *v;

	(void)try;
	if (vault_open(name, where, &v, e) < 0)
		return -1;
	if (check(name, v, seals, e) < 0) {
		vault_close(v);
		return -1;
	}
	*ret_state = v;
	return 1;
}

static const char *vault_active(const void *state)
{
	const struct vault *v = state;

	return v->versions[v->active].id;
}

static bool vault_has(const void *state, const char *id)
{
	return vault_version_of(state, id) != NULL;
}

static void vault_observe_calls(void *state, const struct observer *observer)
{
	web_observe(((struct vault *)state)->web, observer);
}

/* Versions that were made since; what cannot be learnt now leaves those that are known in use. */
static void vault_refresh(void *state)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	static const unsigned char nothing[AEAD_KEY_BYTES];
	struct vault *v = state;
	struct err ignored = { 0 };

	if (vault_list_versions(v, &ignored) >= 0 && !v->pinned)
		seal_with(v, "", SPAN("refresh"), nothing, &sealed, &v->active, &ignored);
}

const struct key_provider key_vault = {
	.scheme = "https://",
	.open = open_vault,
	.close = close_vault,
	.observe_calls = vault_observe_calls,
	.active = vault_active,
	.has = vault_has,
	.refresh = vault_refresh,
	.seal = vault_seal,
	.unseal = vault_unseal,
};
