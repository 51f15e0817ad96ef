/* SPDX-License-Identifier: Apache-2.0 */
#include "update/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

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

static int check_features(struct span document, struct err *e)
{
	struct span list, each;
	struct scan s;

	if (!scan_find(document, "features", &list))
		return 1;
	if (list.data[0] != '[')
		return bad("has 'features' that are no list", e);
	for (scan_open(&s, list); scan_element(&s, &each);)
		if (each.data[0] != '"')
			return bad("has a feature that is no string", e);
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
	if (scan_unique(checkpoint.text, e) < 0 || check_features(checkpoint.text, e) < 0 ||
	    count_resources(deployment, &checkpoint.resources, e) < 0)
		return -1;
	*ret_checkpoint = checkpoint;
	return 1;
}

void checkpoint_key(const char *stack_id, const unsigned char *digest, char ret_key[CHECKPOINT_KEY])
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(digest, SHA256_BYTES, hex);
	snprintf(ret_key, CHECKPOINT_KEY, "stacks/%s/checkpoints/%s.json.gz", stack_id, hex);
}

struct checkpoint_writer {
	struct sink sink;
	struct sha256_state *hash;
	struct gzip_sink *gzip;
	struct blob_writer *blob;
	int64_t bytes;
};

static int writer_write(struct sink *self, const void *data, size_t length, struct err *e)
{
	struct checkpoint_writer *w = (struct checkpoint_writer *)self;

	sha256_add(w->hash, (struct span){ data, length });
	w->bytes += (int64_t)length;
	return sink_write(gzip_sink_of(w->gzip), data, length, e);
}

int checkpoint_writer_open(struct app *app, struct checkpoint_writer **ret_writer, struct err *e)
{
	_cleanup_(checkpoint_writer_closep) struct checkpoint_writer *w = xcalloc(1, sizeof(*w));

	w->sink.write = writer_write;
	if (blob_writer_open(app->objects, &w->blob, e) < 0)
		return -1;
	w->gzip = gzip_sink_new(blob_writer_sink(w->blob));
	w->hash = sha256_begin();
	*ret_writer = TAKE(w);
	return 1;
}

struct sink *checkpoint_writer_sink(struct checkpoint_writer *w)
{
	return &w->sink;
}

int checkpoint_writer_commit(struct checkpoint_writer *w, const char *stack_id, int64_t resources,
			     struct stored_checkpoint *ret_stored, struct err *e)
{
	struct stored_checkpoint stored = { .bytes = w->bytes, .resources = resources };
	char key[CHECKPOINT_KEY];

	sha256_end(TAKE(w->hash), stored.sha256);
	checkpoint_key(stack_id, stored.sha256, key);
	if (gzip_sink_finish(w->gzip, e) < 0 || blob_writer_commit(w->blob, key, e) < 0)
		return -1;
	*ret_stored = stored;
	return 1;
}

void checkpoint_writer_close(struct checkpoint_writer *w)
{
	if (!w)
		return;
	sha256_end(w->hash, NULL);
	gzip_sink_free(w->gzip);
	blob_writer_close(w->blob);
	free(w);
}

void checkpoint_writer_closep(struct checkpoint_writer **w)
{
	checkpoint_writer_close(*w);
}

int checkpoint_store(struct app *app, const char *stack_id, const struct checkpoint_text *checkpoint,
		     struct stored_checkpoint *ret_stored, struct err *e)
{
	_cleanup_(checkpoint_writer_closep) struct checkpoint_writer *w = NULL;

	if (checkpoint_writer_open(app, &w, e) < 0 ||
	    sink_write(&w->sink, checkpoint->text.data, checkpoint->text.length, e) < 0)
		return -1;
	return checkpoint_writer_commit(w, stack_id, checkpoint->resources, ret_stored, e);
}

static int check_digest(struct span text, struct span digest, const char *key, struct err *e)
{
	unsigned char found[SHA256_BYTES];

	sha256(text, found);
	if (memcmp(found, digest.data, SHA256_BYTES))
		return err_internal(e, "object %s is damaged: its text has another digest", key);
	return 1;
}

int checkpoint_load(struct app *app, const char *stack_id, struct span digest, struct buffer *ret_text, struct err *e)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	size_t from = ret_text->length;
	char key[CHECKPOINT_KEY];
	struct err broken = { 0 };
	int rc;

	if (digest.length != SHA256_BYTES)
		return err_internal(e, "checkpoint of stack %s has a digest of %zu bytes", stack_id, digest.length);
	checkpoint_key(stack_id, (const unsigned char *)digest.data, key);
	rc = blob_get(app->objects, key, &packed, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_internal(e, "object %s is missing", key);
	if (gunzip(buffer_span(&packed), SIZE_MAX, ret_text, &broken) < 0)
		return err_internal(e, "object %s is damaged: %s", key, broken.message);
	return check_digest((struct span){ ret_text->data + from, ret_text->length - from }, digest, key, e);
}
