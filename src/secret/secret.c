/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/secret.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "secret/provider.h"

#define REMEMBERED 64
#define REMEMBER_US (300 * 1000000LL)
#define FORM 1		/* of a sealed key: this byte, the id of its master key, the provider's bytes */
#define ID_BYTES 8

static const struct key_provider *const providers[] = { &key_local };

struct remembered {
	unsigned char digest[SHA256_BYTES];	/* of the bound and the sealed bytes */
	unsigned char key[AEAD_KEY_BYTES];
	int64_t until;				/* 0: empty */
};

struct keys {
	const struct key_provider *provider;
	void *state;
	char *origin;
	struct remembered remembered[REMEMBERED];
	size_t oldest;				/* the place that is used next */
};

static bool fits(const struct key_provider *p, const char *where)
{
	size_t n = strlen(p->scheme);

	return n ? !strncmp(where, p->scheme, n) : where[0] == '/';
}

int keys_open(const char *name, const char *where, struct keys **ret_keys, struct err *e)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		struct keys *keys;
		void *state;

		if (!fits(providers[i], where))
			continue;
		if (providers[i]->open(name, where, &state, e) < 0)
			return -1;
		keys = xcalloc(1, sizeof(*keys));
		keys->provider = providers[i];
		keys->state = state;
		keys->origin = xstrdup(where);
		*ret_keys = keys;
		return 1;
	}
	return err_internal(e, "%s: '%s' must be an absolute path", name, where);
}

void keys_close(struct keys *keys)
{
	if (!keys)
		return;
	keys->provider->close(keys->state);
	free(keys->origin);
	wipe(keys, sizeof(*keys));
	free(keys);
}

static void id_bytes(const char *id, char ret_bytes[ID_BYTES])
{
	for (int i = 0; i < ID_BYTES; i++) {
		char pair[3] = { id[2 * i], id[2 * i + 1], '\0' };

		ret_bytes[i] = (char)strtol(pair, NULL, 16);
	}
}

int keys_seal(struct keys *keys, struct span bound, const unsigned char key[AEAD_KEY_BYTES], struct buffer *ret_sealed,
	      struct err *e)
{
	char id[ID_BYTES];

	id_bytes(keys->provider->active(keys->state), id);
	buffer_putc(ret_sealed, FORM);
	buffer_append(ret_sealed, id, sizeof(id));
	return keys->provider->seal(keys->state, bound, key, ret_sealed, e);
}

static void digest_of(struct span bound, struct span sealed, unsigned char ret_digest[SHA256_BYTES])
{
	struct sha256_state *s = sha256_begin();

	sha256_add(s, bound);
	sha256_add(s, sealed);
	sha256_end(s, ret_digest);
}

static bool recall(struct keys *keys, const unsigned char *digest, int64_t now_us, unsigned char *ret_key)
{
	for (size_t i = 0; i < REMEMBERED; i++) {
		struct remembered *r = &keys->remembered[i];

		if (r->until && r->until <= now_us)
			wipe(r, sizeof(*r));
		if (r->until && !memcmp(r->digest, digest, SHA256_BYTES)) {
			memcpy(ret_key, r->key, AEAD_KEY_BYTES);
			return true;
		}
	}
	return false;
}

static void remember(struct keys *keys, const unsigned char *digest, int64_t now_us, const unsigned char *key)
{
	struct remembered *r = &keys->remembered[keys->oldest];

	keys->oldest = (keys->oldest + 1) % REMEMBERED;
	wipe(r, sizeof(*r));
	memcpy(r->digest, digest, SHA256_BYTES);
	memcpy(r->key, key, AEAD_KEY_BYTES);
	r->until = now_us + REMEMBER_US;
}

static int ask_provider(struct keys *keys, struct span bound, struct span sealed, unsigned char *ret_key, struct err *e)
{
	char id[MASTER_KEY_ID];
	int rc;

	if (sealed.length < 1 + ID_BYTES || sealed.data[0] != FORM)
		return err_internal(e, "a sealed data key has an unknown form");
	hex_encode((const unsigned char *)sealed.data + 1, ID_BYTES, id);
	if (!keys_has(keys, id))
		return err_internal(e, "master key %s is not in %s; restore its file", id, keys->origin);
	sealed = (struct span){ sealed.data + 1 + ID_BYTES, sealed.length - 1 - ID_BYTES };
	rc = keys->provider->unseal(keys->state, id, bound, sealed, ret_key, e);
	return rc == 0 ? err_internal(e, "a data key does not open with master key %s: it is damaged or belongs elsewhere", id) : rc;
}

int keys_unseal(struct keys *keys, struct span bound, struct span sealed, int64_t now_us,
		unsigned char ret_key[AEAD_KEY_BYTES], struct err *e)
{
	unsigned char digest[SHA256_BYTES];

	digest_of(bound, sealed, digest);
	if (recall(keys, digest, now_us, ret_key))
		return 1;
	if (ask_provider(keys, bound, sealed, ret_key, e) < 0)
		return -1;
	remember(keys, digest, now_us, ret_key);
	return 1;
}

const char *keys_active(const struct keys *keys)
{
	return keys->provider->active(keys->state);
}

bool keys_has(struct keys *keys, const char *id)
{
	if (keys->provider->has(keys->state, id))
		return true;
	keys_refresh(keys);
	return keys->provider->has(keys->state, id);
}

void keys_refresh(struct keys *keys)
{
	keys->provider->refresh(keys->state);
}

const char *keys_origin(const struct keys *keys)
{
	return keys->origin;
}
