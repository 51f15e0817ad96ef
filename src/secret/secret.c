/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/secret.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "secret/provider.h"

#define REMEMBERED 512
#define FRESH_US (300 * 1000000LL)
#define OUTAGE_US (3600 * 1000000LL)
#define AWAY_US (60 * 1000000LL)	/* a service that was away is not asked again so soon for what is remembered */
#define FORM 1		/* of a sealed key: this byte, the id of its master key, the provider's bytes */
#define ID_BYTES 8

static const struct key_provider *const providers[] = { &key_local, &key_kms, &key_vault };

#define SOURCES 8

struct remembered {
	unsigned char digest[SHA256_BYTES];	/* of the bound and the sealed bytes */
	unsigned char key[AEAD_KEY_BYTES];
	int64_t opened_at;			/* 0: empty */
};

/* Master keys of one provider. */
struct source {
	const struct key_provider *provider;
	void *state;
};

struct keys {
	struct source sources[SOURCES];		/* the first one seals */
	size_t count;
	char *setting, *origin;
	struct observer observer;
	struct remembered remembered[REMEMBERED];
	size_t oldest;				/* the place that is used next */
	int64_t fresh_us, outage_us;
	int64_t away_until;			/* 0: the provider answers */
};

static bool fits(const struct key_provider *p, const char *where)
{
	size_t n = strlen(p->scheme);

	return n ? !strncmp(where, p->scheme, n) : where[0] == '/';
}

static int open_source(const char *name, const char *where, bool seals, bool try, struct source *ret_source, struct err *e)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		if (!fits(providers[i], where))
			continue;
		ret_source->provider = providers[i];
		return providers[i]->open(name, where, seals, try, &ret_source->state, e);
	}
	return err_internal(e, "%s: '%s' must be an absolute path, the ARN of an AWS KMS key, or https://VAULT/keys/NAME", name, where);
}

int keys_open(const char *name, const char *where, bool try, struct keys **ret_keys, struct err *e)
{
	struct source first;
	struct keys *keys;

	if (open_source(name, where, true, try, &first, e) < 0)
		return -1;
	keys = xcalloc(1, sizeof(*keys));
	keys->sources[keys->count++] = first;
	keys->setting = xstrdup(name);
	keys->origin = xstrdup(where);
	keys->fresh_us = FRESH_US;
	keys->outage_us = OUTAGE_US;
	*ret_keys = keys;
	return 1;
}

int keys_add(struct keys *keys, const char *name, const char *where, struct err *e)
{
	struct buffer setting = BUFFER_INIT, origin = BUFFER_INIT;

	if (keys->count == SOURCES)
		return err_internal(e, "%s: more than %d places of master keys", name, SOURCES);
	if (open_source(name, where, false, true, &keys->sources[keys->count], e) < 0)
		return -1;
	keys->count++;
	buffer_printf(&setting, "%s, %s", keys->setting, name);
	buffer_printf(&origin, "%s or %s", keys->origin, where);
	free(keys->setting);
	free(keys->origin);
	keys->setting = setting.data;
	keys->origin = origin.data;
	return 1;
}

void keys_close(struct keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		keys->sources[i].provider->close(keys->sources[i].state);
	free(keys->setting);
	free(keys->origin);
	wipe(keys, sizeof(*keys));
	free(keys);
}

void keys_remember(struct keys *keys, int64_t fresh_us, int64_t outage_us)
{
	keys->fresh_us = fresh_us;
	keys->outage_us = outage_us;
}

void keys_observe(struct keys *keys, const struct observer *observer)
{
	keys->observer = *observer;
}

void keys_observe_calls(struct keys *keys, const struct observer *observer)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->sources[i].provider->observe_calls)
			keys->sources[i].provider->observe_calls(keys->sources[i].state, observer);
}

/* The source that can use the master key; NULL when none can. */
static const struct source *source_of(const struct keys *keys, const char *id)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->sources[i].provider->has(keys->sources[i].state, id))
			return &keys->sources[i];
	return NULL;
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
	int64_t began_ns = observe_begin(&keys->observer);
	char id[ID_BYTES];
	int rc;

	id_bytes(keys_active(keys), id);
	buffer_putc(ret_sealed, FORM);
	buffer_append(ret_sealed, id, sizeof(id));
	rc = keys->sources[0].provider->seal(keys->sources[0].state, bound, key, ret_sealed, e);
	observe_end(&keys->observer, "seal", began_ns, rc < 0);
	return rc;
}

static void digest_of(struct span bound, struct span sealed, unsigned char ret_digest[SHA256_BYTES])
{
	struct sha256_state *s = sha256_begin();

	sha256_add(s, bound);
	sha256_add(s, sealed);
	sha256_end(s, ret_digest);
}

/* A clock that went back makes nothing younger. */
static bool younger(const struct remembered *r, int64_t now_us, int64_t age_us)
{
	return r->opened_at && r->opened_at <= now_us && now_us - r->opened_at < age_us;
}

/* What is too old for any use is wiped on the way. */
static struct remembered *recall(struct keys *keys, const unsigned char *digest, int64_t now_us)
{
	int64_t longest = keys->fresh_us > keys->outage_us ? keys->fresh_us : keys->outage_us;
	struct remembered *found = NULL;

	for (size_t i = 0; i < REMEMBERED; i++) {
		struct remembered *r = &keys->remembered[i];

		if (r->opened_at && !younger(r, now_us, longest))
			wipe(r, sizeof(*r));
		if (r->opened_at && !memcmp(r->digest, digest, SHA256_BYTES))
			found = r;
	}
	return found;
}

/* In the place where it was before, if it was. */
static void remember(struct keys *keys, struct remembered *before, const unsigned char *digest, int64_t now_us, const unsigned char *key)
{
	struct remembered *r = before ? before : &keys->remembered[keys->oldest];

	if (!before)
		keys->oldest = (keys->oldest + 1) % REMEMBERED;
	memcpy(r->digest, digest, SHA256_BYTES);
	memcpy(r->key, key, AEAD_KEY_BYTES);
	r->opened_at = now_us;
}

static int ask_provider(struct keys *keys, struct span bound, struct span sealed, unsigned char *ret_key, struct err *e)
{
	const struct source *source;
	char id[MASTER_KEY_ID];
	int rc;

	if (sealed.length < 1 + ID_BYTES || sealed.data[0] != FORM)
		return err_internal(e, "a sealed data key has an unknown form");
	hex_encode((const unsigned char *)sealed.data + 1, ID_BYTES, id);
	if (!keys_has(keys, id))
		return err_internal(e, "master key %s is not in %s; restore its file, or name its place in PULUMI_OTHER_KEYS", id, keys->origin);
	sealed = (struct span){ sealed.data + 1 + ID_BYTES, sealed.length - 1 - ID_BYTES };
	source = source_of(keys, id);
	rc = source->provider->unseal(source->state, id, bound, sealed, ret_key, e);
	return rc == 0 ? err_internal(e, "a data key does not open with master key %s: it is damaged or belongs elsewhere", id) : rc;
}

/* An outage is overlooked while what is remembered is young enough; a refusal is obeyed at once. */
static int overlook(struct keys *keys, struct remembered *r, int64_t now_us, unsigned char *ret_key, struct err *e)
{
	if (r && e->kind == ERR_UNAVAILABLE && younger(r, now_us, keys->outage_us)) {
		err_clear(e);
		keys->away_until = now_us + AWAY_US;
		memcpy(ret_key, r->key, AEAD_KEY_BYTES);
		return 1;
	}
	if (r && e->kind != ERR_UNAVAILABLE)
		wipe(r, sizeof(*r));
	return -1;
}

static bool usable(const struct keys *keys, const struct remembered *r, int64_t now_us)
{
	if (younger(r, now_us, keys->fresh_us))
		return true;
	return now_us < keys->away_until && now_us >= keys->away_until - AWAY_US && younger(r, now_us, keys->outage_us);
}

int keys_unseal(struct keys *keys, struct span bound, struct span sealed, int64_t now_us,
		unsigned char ret_key[AEAD_KEY_BYTES], struct err *e)
{
	unsigned char digest[SHA256_BYTES], key[AEAD_KEY_BYTES];
	struct remembered *before;
	int64_t began_ns;
	int rc;

	digest_of(bound, sealed, digest);
	before = recall(keys, digest, now_us);
	if (before && usable(keys, before, now_us)) {
		memcpy(ret_key, before->key, AEAD_KEY_BYTES);
		return 1;
	}
	began_ns = observe_begin(&keys->observer);
	rc = ask_provider(keys, bound, sealed, key, e);
	observe_end(&keys->observer, "unseal", began_ns, rc < 0);
	if (rc < 0)
		return overlook(keys, before, now_us, ret_key, e);
	keys->away_until = 0;
	remember(keys, before, digest, now_us, key);
	memcpy(ret_key, key, AEAD_KEY_BYTES);
	wipe(key, sizeof(key));
	return 1;
}

int keys_try(struct keys *keys, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES], back[AEAD_KEY_BYTES];
	struct span bound = SPAN("health");
	int rc;

	random_bytes(key, sizeof(key));
	if (keys_seal(keys, bound, key, &sealed, e) < 0)
		return -1;
	rc = ask_provider(keys, bound, buffer_span(&sealed), back, e);
	if (rc == 1 && memcmp(key, back, sizeof(key)))
		rc = err_internal(e, "a data key came back from %s as another", keys->origin);
	return rc;
}

const char *keys_active(const struct keys *keys)
{
	return keys->sources[0].provider->active(keys->sources[0].state);
}

bool keys_has(struct keys *keys, const char *id)
{
	if (source_of(keys, id))
		return true;
	keys_refresh(keys);
	return source_of(keys, id);
}

void keys_refresh(struct keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		keys->sources[i].provider->refresh(keys->sources[i].state);
}

const char *keys_setting(const struct keys *keys)
{
	return keys->setting;
}

const char *keys_origin(const struct keys *keys)
{
	return keys->origin;
}
