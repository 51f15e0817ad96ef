/* SPDX-License-Identifier: Apache-2.0 */
#include "update/checkpoint.h"

#include <stdio.h>

#include "blob/blob.h"
#include "http/gzip.h"
#include "json/scan.h"

static int bad(const char *what, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the state document %s", what);
}

static int count_resources(struct span deployment, int64_t *ret_count, struct err *e)
{
	struct span list, each, urn;
	struct scan s;

	*ret_count = 0;
	if (!scan_find(deployment, "resources", &list))
		return 1;
	if (list.data[0] != '[')
		return bad("has 'resources' that is no list", e);
	scan_open(&s, list);
	while (scan_element(&s, &each)) {
		if (each.data[0] != '{' || !scan_find(each, "urn", &urn) || urn.data[0] != '"')
			return bad("has a resource without a urn", e);
		(*ret_count)++;
	}
	return 1;
}

int checkpoint_check(struct span text, struct checkpoint_text *ret_checkpoint, struct err *e)
{
	struct checkpoint_text checkpoint;
	struct span version, deployment;
	int64_t number;

	if (scan_document(text, &checkpoint.text, e) < 0)
		return -1;
	if (checkpoint.text.data[0] != '{')
		return bad("must be a JSON object", e);
	if (!scan_find(checkpoint.text, "version", &version) || !scan_int(version, &number) || number < 1 || number > 4)
		return bad("must have a 'version' from 1 to 4", e);
	if (!scan_find(checkpoint.text, "deployment", &deployment) || deployment.data[0] != '{')
		return bad("must have a 'deployment' object", e);
	if (count_resources(deployment, &checkpoint.resources, e) < 0)
		return -1;
	*ret_checkpoint = checkpoint;
	return 1;
}

static void key_of(const char *stack_id, const unsigned char *digest, char key[160])
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(digest, SHA256_BYTES, hex);
	snprintf(key, 160, "stacks/%s/checkpoints/%s.json.gz", stack_id, hex);
}

int checkpoint_store(struct app *app, const char *stack_id, const struct checkpoint_text *checkpoint,
		     struct stored_checkpoint *ret_stored, struct err *e)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	struct stored_checkpoint stored = { .bytes = (int64_t)checkpoint->text.length,
					    .resources = checkpoint->resources };
	char key[160];

	sha256(checkpoint->text, stored.sha256);
	key_of(stack_id, stored.sha256, key);
	if (gzip(checkpoint->text, &packed, e) < 0 || blob_put(app->objects, key, buffer_span(&packed), e) < 0)
		return -1;
	*ret_stored = stored;
	return 1;
}

int checkpoint_load(struct app *app, const char *stack_id, struct span digest, struct buffer *ret_gzip,
		    struct err *e)
{
	char key[160];
	int rc;

	if (digest.length != SHA256_BYTES)
		return err_internal(e, "checkpoint of stack %s has a digest of %zu bytes", stack_id, digest.length);
	key_of(stack_id, (const unsigned char *)digest.data, key);
	rc = blob_get(app->objects, key, ret_gzip, e);
	return rc == 0 ? err_internal(e, "object %s is missing", key) : rc;
}
