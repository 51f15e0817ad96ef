/* SPDX-License-Identifier: Apache-2.0 */
/* Policy packs: the archive of every published version is there, and is what was published. */
#include "blob/blob.h"
#include "policy/pack.h"
#include "verify/internal.h"

static int load(struct verify *v, const struct verify_row *row, struct buffer *ret_archive, struct err *e)
{
	char key[PACK_KEY];
	int rc;

	if (row->sha256.length != SHA256_BYTES)
		return err_internal(e, "is published and has no archive");
	pack_archive_key(row->id, (const unsigned char *)row->sha256.data, key);
	if (!v->app->packs)
		return err_internal(e, "object %s cannot be read: no place for policy packs is configured any more", key);
	rc = blob_get(v->app->packs, key, ret_archive, e);
	return rc == 0 ? err_internal(e, "object %s is missing", key) : rc;
}

static int check_archive(struct verify *v, const struct verify_row *row, struct err *e)
{
	_cleanup_(buffer_done) struct buffer archive = BUFFER_INIT;
	unsigned char digest[SHA256_BYTES];

	if (load(v, row, &archive, e) < 0)
		return -1;
	sha256(buffer_span(&archive), digest);
	if (!span_equal(row->sha256, (struct span){ (char *)digest, sizeof(digest) }))
		return err_internal(e, "its archive has another digest than its row");
	if (row->bytes != (int64_t)archive.length)
		return err_internal(e, "its archive has %zu bytes, its row says %lld", archive.length, (long long)row->bytes);
	return 1;
}

static int check_version(struct verify *v, const struct verify_row *row, struct err *e)
{
	struct err why = { 0 };

	v->counts.policy_packs++;
	v->seen(v->context, "policy packs", 1);
	return check_archive(v, row, &why) == 1 ? 1 : verify_blame(v, row->place, &why, e);
}

int verify_packs(struct verify *v, struct err *e)
{
	return verify_pages(v, &VERIFY_PACK_VERSIONS, verify_pack_columns, check_version, e);
}
