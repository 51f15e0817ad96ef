/* SPDX-License-Identifier: Apache-2.0 */
/* A text, and edits of it: no edit reads outside the text or writes beyond the limit. */
#include "fuzz.h"
#include "json/scan.h"
#include "update/internal.h"

#define LIMIT 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buffer_done) struct buffer out = BUFFER_INIT;
	struct span rest = { (const char *)data, size }, before, edits, list;
	struct checkpoint_text checkpoint;
	struct err e = { 0 };

	if (!next_part(&rest, &before) || !next_part(&rest, &edits))
		return 0;
	if (scan_document(edits, &list, &e) < 0)
		return 0;
	if (delta_apply(before, list, LIMIT, &out, &e) < 0) {
		promise_refusal(&e);
		return 0;
	}
	PROMISE(out.length <= LIMIT + before.length);
	if (checkpoint_check(buffer_span(&out), &checkpoint, &e) < 0)
		promise_refusal(&e);
	return 0;
}
