/* SPDX-License-Identifier: Apache-2.0 */
#include "start/proven.h"

#include "base/settings.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "telemetry/watch.h"

_Static_assert(WATCH_DIGEST == SHA256_BYTES, "the file has room for one digest");

static void digest_of_settings(unsigned char ret_digest[SHA256_BYTES])
{
	_cleanup_(buffer_wipe) struct buffer text = BUFFER_INIT;

	settings_text(&text);
	sha256(buffer_span(&text), ret_digest);
}

static struct watch *open_file(void)
{
	return setting("PULUMI_RUN_DIR") ? watch_open(setting("PULUMI_RUN_DIR")) : NULL;
}

bool settings_proven(void)
{
	struct watch *w = open_file();
	unsigned char digest[SHA256_BYTES];
	bool proven;

	digest_of_settings(digest);
	proven = watch_is_proven(w, digest);
	watch_close(w);
	return proven;
}

void settings_prove(void)
{
	struct watch *w = open_file();
	unsigned char digest[SHA256_BYTES];

	digest_of_settings(digest);
	watch_prove(w, digest);
	watch_close(w);
}
