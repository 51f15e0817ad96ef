/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "blob/blob.h"
#include "link/key.h"
#include "net/web.h"

#define SIGNATURE_HEX (2 * SHA256_BYTES)

struct blob_store *link_store(const struct app *app, const char *name)
{
	return !strcmp(name, "policypacks") ? app->packs : NULL;
}

/* None of the parts has a line break: the method and the store are ours, a key of an object has none. */
static void sign(const struct link *l, const struct link_key *key, char ret_hex[SIGNATURE_HEX + 1])
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	unsigned char mac[SHA256_BYTES];

	buffer_printf(&text, "pulumi-api link 1\n%s\n%s\n%s\n%lld\n", l->method, l->store, l->object, (long long)l->expires_at);
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->key, sizeof(key->key), text.data, text.length, mac) < 0)
		abort();
	hex_encode(mac, sizeof(mac), ret_hex);
}

static int make_own(struct app *app, const char *base, const struct link *l, struct arena *arena, const char **ret_url,
		    struct err *e)
{
	_cleanup_(buffer_done) struct buffer object = BUFFER_INIT;
	const struct link_key *key;
	char signature[SIGNATURE_HEX + 1];

	if (link_key_signing(app, &key, e) < 0)
		return -1;
	sign(l, key, signature);
	web_escape(span_of(l->object), true, &object);
	*ret_url = arena_printf(arena, "%s/api/objects?store=%s&object=%s&expires=%lld&key=%s&signature=%s", base, l->store, object.data,
				(long long)l->expires_at, key->id, signature);
	return 1;
}

int link_make(struct app *app, const char *base, const char *method, const char *store, const char *object, int seconds,
	      struct arena *arena, const char **ret_url, const char **ret_lines, struct err *e)
{
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT, lines = BUFFER_INIT;
	struct link l = { method, store, object, app->now_us() / 1000000 + seconds };
	struct blob_store *kept = link_store(app, store);
	int rc = kept ? blob_presign(kept, method, object, seconds, &url, &lines, e) : err_internal(e, "there is no store for %s", store);

	if (rc < 0)
		return -1;
	*ret_lines = rc ? arena_strndup(arena, lines.data ? lines.data : "", lines.length) : "";
	if (rc == 0)
		return make_own(app, base, &l, arena, ret_url, e);
	*ret_url = arena_strndup(arena, url.data, url.length);
	return 1;
}

static int refused(struct err *e)
{
	return err_set(e, ERR_FORBIDDEN, "Forbidden: the address is not one that this server gave out for this, or it has ended; "
		       "ask for a new one");
}

int link_check(struct app *app, const struct link *l, const char *id, const char *signature, struct err *e)
{
	const struct link_key *key;
	char ours[SIGNATURE_HEX + 1];
	int rc;

	if (!uuid_valid(id) || strlen(signature) != SIGNATURE_HEX || !blob_key_valid(l->object))
		return refused(e);
	rc = link_key_find(app, id, &key, e);
	if (rc <= 0)
		return rc < 0 ? -1 : refused(e);
	sign(l, key, ours);
	if (gnutls_memcmp(ours, signature, SIGNATURE_HEX) != 0 || l->expires_at <= app->now_us() / 1000000)
		return refused(e);
	return 1;
}
