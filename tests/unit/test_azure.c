/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that grant one blob, against what Microsoft's own library makes of the same values: azure-storage-blob 12.31.1
 * for Python, BlobSharedAccessSignature with version 2021-12-02. The key is the one that Microsoft publishes for its emulator.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "crypto/aead.h"
#include "net/azure.h"

#define NOVEMBER_25_2026 1795588200000000LL
#define EMULATOR_KEY "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

static void check(const char *blob, const char *permissions, bool https, const char *wanted)
{
	_cleanup_(buffer_done) struct buffer key = BUFFER_INIT, query = BUFFER_INIT;

	assert_true(base64_decode(SPAN(EMULATOR_KEY), &key));
	azure_grant_sign(&(struct azure_grant){ "devstoreaccount1", "packs", blob, permissions, NOVEMBER_25_2026, https }, buffer_span(&key),
			 &query);
	assert_string_equal(query.data, wanted);
}

static void test_reading_over_https(void **state)
{
	(void)state;
	check("policypacks/p/x.tgz", "r", true, "sv=2021-12-02&spr=https&se=2026-11-25T06%3A30%3A00Z&sr=b&sp=r&"
	      "sig=nRYTXjG%2FBgFLTODL5jCrZsfJeBJdxcyHm%2FyPx4LpqY0%3D");
}

static void test_writing_a_name_that_is_encoded(void **state)
{
	(void)state;
	check("a b/+.tgz", "cw", false, "sv=2021-12-02&se=2026-11-25T06%3A30%3A00Z&sr=b&sp=cw&"
	      "sig=wNTNJPYiy0Ukq%2BLnpdh24c%2BwMMfCQjyfiY1c6YqrJ1w%3D");
}

/* The same library in its version 12.14.1, whose text to sign is that of version 2021-12-02 for such keys, too. */
static void test_with_a_key_of_an_identity(void **state)
{
	struct azure_delegation d = { (char *)"11111111-2222-3333-4444-555555555555", (char *)"66666666-7777-8888-9999-000000000000",
				      (char *)"2026-11-25T06:00:00Z", (char *)"2026-11-26T06:00:00Z", (char *)"b", (char *)"2021-12-02",
				      BUFFER_INIT, 0 };
	_cleanup_(buffer_done) struct buffer query = BUFFER_INIT;

	(void)state;
	assert_true(base64_decode(SPAN(EMULATOR_KEY), &d.key));
	azure_grant_sign_delegated(&(struct azure_grant){ "acme", "packs", "policypacks/p/x.tgz", "r", NOVEMBER_25_2026, true }, &d, &query);
	buffer_done(&d.key);
	assert_string_equal(query.data, "sv=2021-12-02&spr=https&se=2026-11-25T06%3A30%3A00Z&sr=b&sp=r&"
			    "skoid=11111111-2222-3333-4444-555555555555&sktid=66666666-7777-8888-9999-000000000000&"
			    "skt=2026-11-25T06%3A00%3A00Z&ske=2026-11-26T06%3A00%3A00Z&sks=b&skv=2021-12-02&"
			    "sig=x832hoKzM3d6uvGhNVfw2hSNj6LpNocIZoHYDEFfJOw%3D");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading_over_https), cmocka_unit_test(test_writing_a_name_that_is_encoded),
		cmocka_unit_test(test_with_a_key_of_an_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
