/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression never exceeds its limit, and what was compressed comes back. */
#include "fuzz.h"
#include "http/gzip.h"

#define LIMIT (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buffer_done) struct buffer out = BUFFER_INIT, packed = BUFFER_INIT, again = BUFFER_INIT;
	struct span text = { (const char *)data, size };
	struct err e = { 0 };

	if (gunzip(text, LIMIT, &out, &e) < 0)
		promise_refusal(&e);
	else
		PROMISE(out.length <= LIMIT);
	PROMISE(out.length <= LIMIT + (512 << 10));
	PROMISE(gzip(text, &packed, &e) == 1);
	PROMISE(gunzip(buffer_span(&packed), size, &again, &e) == 1);
	PROMISE(again.length == size && (size == 0 || !memcmp(again.data, data, size)));
	buffer_clear(&again);
	if (size) {
		err_clear(&e);
		PROMISE(gunzip(buffer_span(&packed), size - 1, &again, &e) == -1 && e.kind == ERR_TOO_LARGE);
	}
	return 0;
}
