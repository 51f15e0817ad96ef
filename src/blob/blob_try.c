/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "blob/blob.h"
#include "crypto/crypto.h"

int blob_try(struct blob_store *store, struct err *e)
{
	_cleanup_(buffer_done) struct buffer back = BUFFER_INIT;
	unsigned char random[32];
	struct span data = { (const char *)random, sizeof(random) };
	char hex[2 * sizeof(random) + 1], key[80];
	int rc;

	random_bytes(random, sizeof(random));
	hex_encode(random, sizeof(random), hex);
	snprintf(key, sizeof(key), "scratch/%s", hex);
	if (blob_put(store, key, data, e) < 0)
		return -1;
	rc = blob_get(store, key, &back, e);
	if (rc == 0 || (rc == 1 && !span_equal(buffer_span(&back), data)))
		rc = err_internal(e, "what was written into the object store did not come back");
	return blob_delete(store, key, e) < 0 ? -1 : rc;
}
