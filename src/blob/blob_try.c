/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "blob/blob.h"
#include "crypto/crypto.h"

#define PROBE_BYTES 32

/* An object that nobody else writes. What a process that dies leaves of it is swept with all under scratch/. */
struct probe {
	unsigned char random[PROBE_BYTES];
	char key[16 + 2 * PROBE_BYTES];
	bool listed;
};

static struct span data_of(const struct probe *p)
{
	return (struct span){ (const char *)p->random, sizeof(p->random) };
}

static int put_probe(struct blob_store *store, struct probe *p, struct err *e)
{
	char hex[2 * PROBE_BYTES + 1];

	random_bytes(p->random, sizeof(p->random));
	hex_encode(p->random, sizeof(p->random), hex);
	snprintf(p->key, sizeof(p->key), "scratch/%s", hex);
	p->listed = false;
	return blob_put(store, p->key, data_of(p), e);
}

static int get_probe(struct blob_store *store, const struct probe *p, struct err *e)
{
	_cleanup_(buffer_done) struct buffer back = BUFFER_INIT;
	int rc = blob_get(store, p->key, &back, e);

	return rc == 1 ? span_equal(buffer_span(&back), data_of(p)) : rc;
}

static int find_probe(void *context, const struct blob_object *object, struct err *e)
{
	struct probe *p = context;

	(void)e;
	p->listed = !strcmp(object->key, p->key) && object->bytes == PROBE_BYTES;
	return !p->listed;
}

int blob_try(struct blob_store *store, struct err *e)
{
	struct probe p;
	int rc;

	if (put_probe(store, &p, e) < 0)
		return -1;
	rc = get_probe(store, &p, e);
	if (rc == 0)
		rc = err_internal(e, "what was written into the object store did not come back");
	if (rc == 1 && blob_list(store, p.key, find_probe, &p, e) < 0)
		rc = -1;
	if (rc == 1 && !p.listed)
		rc = err_internal(e, "what was written into the object store is not in its list");
	return blob_delete(store, p.key, e) < 0 ? -1 : rc;
}

int blob_same(struct blob_store *one, struct blob_store *other, struct err *e)
{
	struct probe p;
	int rc;

	if (put_probe(one, &p, e) < 0)
		return -1;
	rc = get_probe(other, &p, e);
	return blob_delete(one, p.key, e) < 0 ? -1 : rc;
}
