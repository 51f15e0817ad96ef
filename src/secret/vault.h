/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key of an Azure Key Vault and its versions; how the vault is asked (Key Vault REST API, version 7.4).
 * Who asks is what net/azure.h finds. The token is for what the vault names in its challenge, and only when that is the
 * domain in which the vault lies: a token for anything else never leaves.
 */
#ifndef SECRET_VAULT_H
#define SECRET_VAULT_H

#include "crypto/crypto.h"
#include "net/azure.h"
#include "secret/secret.h"

#define VAULT_VERSION_NAME 65	/* with its NUL */

struct vault_version {
	char name[VAULT_VERSION_NAME];
	char id[MASTER_KEY_ID];
};

struct vault {
	struct web *web;
	struct azure_identity *identity;	/* NULL until vault_greet */
	char *base;		/* https://HOST[:PORT] */
	char *key;		/* its name */
	struct vault_version *versions;
	size_t count, active;	/* active: the version that seals */
	bool pinned;		/* the place names the version that seals */
};

/* https://HOST[:PORT]/keys/NAME[/VERSION]. -1 with a sentence that starts with the setting's name. */
int vault_open(const char *setting, const char *where, struct vault **ret_vault, struct err *e) WARN_UNUSED;
void vault_close(struct vault *v);
/* Whom the vault trusts: asks it once without a token. */
int vault_greet(struct vault *v, struct err *e) WARN_UNUSED;

/* The version with that id of a master key; NULL when it is not known. */
const struct vault_version *vault_version_of(const struct vault *v, const char *id);
/* Where it is in the list, in which it is put when it is new. */
size_t vault_add_version(struct vault *v, struct span name);
/* Puts all versions into the list. 0 when the vault does not let this identity list them. */
int vault_list_versions(struct vault *v, struct err *e) WARN_UNUSED;

/* What the vault says about a key. */
struct vault_key {
	char type[16];		/* RSA, RSA-HSM, EC … */
	bool enabled, encrypts, decrypts;
};
/* 1; 0 when the vault does not tell this identity; ERR_NOT_FOUND when it has no such key. `version` "": the current one. */
int vault_describe(struct vault *v, const char *version, struct vault_key *ret_key, struct err *e) WARN_UNUSED;
/*
 * RSA-OAEP-256 in the vault; `operation`: encrypt or decrypt. Appends the bytes: 1; 0 when they cannot be decrypted. `version` "":
 * the current one; ret_version (NULL: not wanted) says which one it was. ERR_UNAVAILABLE: the vault, or who gives tokens for
 * it, is away; ERR_INTERNAL: it refuses.
 */
int vault_operate(struct vault *v, const char *operation, const char *version, struct span bytes, struct buffer *ret_bytes,
		  size_t *ret_version, struct err *e) WARN_UNUSED;

#endif
