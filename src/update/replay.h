/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a journal over its base state. Pure: texts in, a text out; no database, no clock. Resources
 * are moved as the bytes that arrived; only the members that the protocol names are touched. Holds the
 * base and the entries that still matter, once each.
 */
#ifndef UPDATE_REPLAY_H
#define UPDATE_REPLAY_H

#include <stdint.h>

#include "base/buffer.h"

struct replay;

struct replay_options {
	const char *client_version;	/* goes into the manifest; "" when unknown */
	int64_t now_us;			/* manifest time, microseconds since 1970 */
	bool check_integrity;		/* records what the command line would refuse in metadata.integrity_error */
};

struct replay *replay_new(const struct replay_options *options);
void replay_free(struct replay *r);
void replay_freep(struct replay **r);

/* The base document {"version":…,"deployment":{…}}, scanned JSON; its buffer is taken over. Without one the base is empty. */
int replay_base(struct replay *r, struct buffer *document, struct err *e) WARN_UNUSED;
/*
 * A batch {"entries":[…]}, scanned JSON. Its text must stay until the next batch was added, or the end was written: what is
 * needed longer is copied by then. Batches come in order of their smallest sequence; entries may interleave with those of
 * the next batch; a sequence that was seen is skipped.
 */
int replay_batch(struct replay *r, struct span batch, struct err *e) WARN_UNUSED;
/* Writes {"version":…,"features":…,"deployment":{…}} and counts its resources. */
int replay_finish(struct replay *r, struct sink *out, int64_t *ret_resources, struct err *e) WARN_UNUSED;

#endif
