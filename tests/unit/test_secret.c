/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "net/azure.h"
#include "secret/secret.h"

struct folder {
	char path[64];
	char *files[8];
	size_t count;
};

static void add_key(struct folder *f, const char *name, char fill, size_t bytes)
{
	struct buffer path = BUFFER_INIT;
	FILE *out;

	buffer_printf(&path, "%s/%s", f->path, name);
	f->files[f->count++] = path.data;
	out = fopen(path.data, "w");
	for (size_t i = 0; i < bytes; i++)
		fputc(fill, out);
	fclose(out);
}

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	snprintf(f->path, sizeof(f->path), "/tmp/test_secret.XXXXXX");
	*state = f;
	return mkdtemp(f->path) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	for (size_t i = 0; i < f->count; i++)
		unlink(f->files[i]), free(f->files[i]);
	rmdir(f->path);
	free(f);
	return 0;
}

static struct span unhex(const char *text, char *to)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };

		to[i] = (char)strtol(pair, NULL, 16);
	}
	return (struct span){ to, n };
}

static void assert_seals(const char *key, const char *nonce, const char *bound, const char *plain, const char *expected)
{
	char bytes[4][128], hex[256];
	struct buffer sealed = BUFFER_INIT;
	struct err e = { 0 };

	assert_int_equal(aead_seal_with((const unsigned char *)unhex(key, bytes[0]).data,
					(const unsigned char *)unhex(nonce, bytes[1]).data, unhex(bound, bytes[2]),
					unhex(plain, bytes[3]), &sealed, &e), 1);
	hex_encode((unsigned char *)sealed.data, sealed.length, hex);
	assert_int_equal(strlen(hex), strlen(nonce) + strlen(expected));
	assert_memory_equal(hex, nonce, strlen(nonce));
	assert_string_equal(hex + strlen(nonce), expected);
	buffer_done(&sealed);
}

/* The examples 14 and 16 of the GCM specification, both with a key of 256 bits; the second binds further bytes. */
static void seals_as_nist_says(void **state)
{
	(void)state;
	assert_seals("0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
		     "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
	assert_seals("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
		     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
		     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
}

static void opens_only_what_it_sealed(void **state)
{
	static const unsigned char key[32] = { 1 }, other[32] = { 2 };
	struct buffer sealed = BUFFER_INIT, plain = BUFFER_INIT;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(aead_seal(key, SPAN("stack"), SPAN("secret"), &sealed, &e), 1);
	assert_int_equal(aead_open(key, SPAN("stack"), buffer_span(&sealed), &plain, &e), 1);
	assert_true(span_equal(buffer_span(&plain), SPAN("secret")));
	assert_int_equal(aead_open(other, SPAN("stack"), buffer_span(&sealed), &plain, &e), 0);
	assert_int_equal(aead_open(key, SPAN("stacks"), buffer_span(&sealed), &plain, &e), 0);
	for (size_t i = 0; i < sealed.length; i++) {
		sealed.data[i] ^= 1;
		assert_int_equal(aead_open(key, SPAN("stack"), buffer_span(&sealed), &plain, &e), 0);
		sealed.data[i] ^= 1;
		assert_int_equal(aead_open(key, SPAN("stack"), (struct span){ sealed.data, i }, &plain, &e), 0);
	}
	buffer_done(&sealed);
	buffer_wipe(&plain);
}

static void base64_is_strict(void **state)
{
	static const char *const bad[] = { "A", "AA", "AAA", "A===", "AA=A", "AB==", "AAB=", "A A=", "AA-_", "AAAA=", "====",
					   "AAAA\n" };
	static const char *const texts[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buffer out = BUFFER_INIT;

		assert_false(base64_decode(span_of(bad[i]), &out));
		buffer_done(&out);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buffer bytes = BUFFER_INIT, text = BUFFER_INIT;

		assert_true(base64_decode(span_of(texts[i]), &bytes));
		assert_true(span_equal(buffer_span(&bytes), (struct span){ "foobar", i }));
		base64_encode((struct span){ "foobar", i }, &text);
		assert_true(span_equal(buffer_span(&text), span_of(texts[i])));
		buffer_done(&bytes);
		buffer_done(&text);
	}
}

static void refuse(const struct folder *f, const char *word)
{
	struct keys *keys = NULL;
	struct err e = { 0 };

	assert_int_equal(keys_open("PULUMI_LOCAL_KEYS", f->path, true, &keys, &e), -1);
	assert_non_null(strstr(e.detail, "PULUMI_LOCAL_KEYS"));
	assert_non_null(strstr(e.detail, word));
}

static void says_what_is_wrong_with_the_folder(void **state)
{
	struct folder *f = *state;

	refuse(f, "holds no key");
	add_key(f, "master.key", 'a', 31);
	refuse(f, "exactly 32 bytes");
	unlink(f->files[0]);
	add_key(f, "master.key", 'a', 33);
	refuse(f, "exactly 32 bytes");
}

static struct keys *open_keys(const struct folder *f)
{
	struct keys *keys = NULL;
	struct err e = { 0 };

	assert_int_equal(keys_open("PULUMI_LOCAL_KEYS", f->path, true, &keys, &e), 1);
	return keys;
}

static void assert_opens(struct keys *keys, const struct buffer *sealed, int64_t now_us, bool expected)
{
	unsigned char key[AEAD_KEY_BYTES];
	struct err e = { 0 };

	assert_int_equal(keys_unseal(keys, SPAN("stack"), buffer_span(sealed), now_us, key, &e), expected ? 1 : -1);
	if (expected)
		assert_int_equal(key[31], 7);
}

/* The last name seals; all open; a process that started before finds the new key by itself. */
static void changes_keys_while_running(void **state)
{
	static const unsigned char data_key[AEAD_KEY_BYTES] = { [31] = 7 };
	struct buffer old_sealed = BUFFER_INIT, new_sealed = BUFFER_INIT;
	struct keys *before, *after, *without;
	struct folder *f = *state;
	struct err e = { 0 };

	add_key(f, "master.key", 'a', 32);
	before = open_keys(f);
	assert_int_equal(keys_seal(before, SPAN("stack"), data_key, &old_sealed, &e), 1);
	add_key(f, "master.key.2", 'b', 32);
	after = open_keys(f);
	assert_string_not_equal(keys_active(before), keys_active(after));
	assert_int_equal(keys_seal(after, SPAN("stack"), data_key, &new_sealed, &e), 1);
	assert_opens(after, &old_sealed, 1, true);
	assert_opens(before, &new_sealed, 1, true);
	assert_string_equal(keys_active(before), keys_active(after));

	unlink(f->files[0]);
	without = open_keys(f);
	assert_opens(without, &new_sealed, 1, true);
	assert_opens(without, &old_sealed, 1, false);
	keys_close(before);
	keys_close(after);
	keys_close(without);
	buffer_done(&old_sealed);
	buffer_done(&new_sealed);
}

#define MINUTE (60 * 1000000LL)

/* Makes keys that know the second master key only: what the first sealed opens from memory or not at all. */
static void lose_first_key(struct folder *f, struct keys *keys)
{
	add_key(f, "master.key.2", 'b', 32);
	unlink(f->files[0]);
	keys_refresh(keys);
	assert_true(keys_has(keys, keys_active(keys)));
}

static void seal_one(struct keys *keys, struct buffer *ret_sealed)
{
	static const unsigned char data_key[AEAD_KEY_BYTES] = { [31] = 7 };
	struct err e = { 0 };

	assert_int_equal(keys_seal(keys, SPAN("stack"), data_key, ret_sealed, &e), 1);
}

static void forgets_opened_keys_with_time(void **state)
{
	struct buffer sealed = BUFFER_INIT;
	struct folder *f = *state;
	struct keys *keys;

	add_key(f, "master.key", 'a', 32);
	keys = open_keys(f);
	seal_one(keys, &sealed);
	assert_opens(keys, &sealed, 1, true);
	lose_first_key(f, keys);
	assert_opens(keys, &sealed, 5 * MINUTE, true);
	/* Damaged bytes are another key to remember: what was opened before is no excuse. */
	sealed.data[sealed.length - 1] ^= 1;
	assert_opens(keys, &sealed, 5 * MINUTE, false);
	sealed.data[sealed.length - 1] ^= 1;
	assert_opens(keys, &sealed, 5 * MINUTE + 1, false);
	keys_close(keys);
	buffer_done(&sealed);
}

/* Limits that somebody sets; and a clock that goes back makes nothing younger. */
static void forgets_as_it_is_told(void **state)
{
	struct buffer sealed = BUFFER_INIT;
	struct folder *f = *state;
	struct keys *keys;

	add_key(f, "master.key", 'a', 32);
	keys = open_keys(f);
	keys_remember(keys, 2 * MINUTE, 0);
	seal_one(keys, &sealed);
	assert_opens(keys, &sealed, MINUTE, true);
	lose_first_key(f, keys);
	assert_opens(keys, &sealed, 3 * MINUTE - 1, true);
	assert_opens(keys, &sealed, 3 * MINUTE, false);
	add_key(f, "master.key.3", 'a', 32);
	assert_opens(keys, &sealed, 10 * MINUTE, true);
	unlink(f->files[2]);
	keys_refresh(keys);
	assert_opens(keys, &sealed, 9 * MINUTE, false);
	add_key(f, "master.key.4", 'a', 32);
	keys_remember(keys, 0, 0);
	assert_opens(keys, &sealed, 20 * MINUTE, true);
	unlink(f->files[3]);
	keys_refresh(keys);
	assert_opens(keys, &sealed, 20 * MINUTE, false);
	keys_close(keys);
	buffer_done(&sealed);
}

static void knows_the_clouds(void **state)
{
	(void)state;
	assert_null(azure_authority("https://vault.azure.net"));
	assert_null(azure_authority("blob.core.windows.net"));
	assert_null(azure_authority("evilusgovcloudapi.net"));
	assert_null(azure_authority("usgovcloudapi.net.evil.example"));
	assert_string_equal(azure_authority("https://vault.usgovcloudapi.net"), "https://login.microsoftonline.us");
	assert_string_equal(azure_authority("managedhsm.usgovcloudapi.net"), "https://login.microsoftonline.us");
	assert_string_equal(azure_authority("blob.core.chinacloudapi.cn"), "https://login.chinacloudapi.cn");
	assert_string_equal(azure_authority("https://vault.azure.cn"), "https://login.chinacloudapi.cn");
}

static void remembers_so_many(void **state)
{
	struct buffer sealed[513] = { 0 };
	struct folder *f = *state;
	struct keys *keys;

	add_key(f, "master.key", 'a', 32);
	keys = open_keys(f);
	for (size_t i = 0; i < 513; i++) {
		seal_one(keys, &sealed[i]);
		assert_opens(keys, &sealed[i], 1, true);
	}
	lose_first_key(f, keys);
	assert_opens(keys, &sealed[0], 1, false);
	for (size_t i = 1; i < 513; i++)
		assert_opens(keys, &sealed[i], 1, true);
	keys_close(keys);
	for (size_t i = 0; i < 513; i++)
		buffer_done(&sealed[i]);
}

/* To another purpose or stack, or cut anywhere, a sealed key is nothing. */
static void opens_for_its_purpose_only(void **state)
{
	unsigned char key[AEAD_KEY_BYTES];
	struct buffer sealed = BUFFER_INIT;
	struct folder *f = *state;
	struct keys *keys;

	add_key(f, "master.key", 'a', 32);
	keys = open_keys(f);
	seal_one(keys, &sealed);
	for (size_t i = 0; i <= sealed.length; i++) {
		struct span cut = { sealed.data, i };
		struct err e = { 0 };

		assert_int_equal(keys_unseal(keys, SPAN("stack"), cut, 1, key, &e), i == sealed.length ? 1 : -1);
	}
	for (size_t i = 0; i < sealed.length; i++) {
		sealed.data[i] ^= 0x20;
		assert_opens(keys, &sealed, 1, false);
		sealed.data[i] ^= 0x20;
	}
	for (size_t i = 0; i < 2; i++) {
		struct err e = { 0 };

		assert_int_equal(keys_unseal(keys, i ? SPAN("stac") : SPAN("environment"), buffer_span(&sealed), 1, key, &e), -1);
	}
	keys_close(keys);
	buffer_done(&sealed);
}

/* One file is a folder of one key; a folder that cannot be read for a moment changes nothing. */
static void takes_one_file(void **state)
{
	struct buffer sealed = BUFFER_INIT;
	struct keys *file, *folder;
	struct folder *f = *state;
	struct err e = { 0 };

	add_key(f, "only.key", 'a', 32);
	assert_int_equal(keys_open("PULUMI_LOCAL_KEYS", f->files[0], true, &file, &e), 1);
	folder = open_keys(f);
	assert_string_equal(keys_active(file), keys_active(folder));
	seal_one(file, &sealed);
	assert_opens(folder, &sealed, 1, true);
	add_key(f, "z.key", 'b', 5);
	keys_refresh(folder);
	assert_string_equal(keys_active(file), keys_active(folder));
	keys_close(file);
	keys_close(folder);
	buffer_done(&sealed);
	assert_int_equal(keys_open("PULUMI_LOCAL_KEYS", "relative/keys", true, &file, &e), -1);
	assert_non_null(strstr(e.detail, "PULUMI_LOCAL_KEYS: 'relative/keys' must be an absolute path"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_as_nist_says),
		cmocka_unit_test(opens_only_what_it_sealed),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test_setup_teardown(says_what_is_wrong_with_the_folder, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(changes_keys_while_running, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(forgets_opened_keys_with_time, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(forgets_as_it_is_told, make_folder, remove_folder),
		cmocka_unit_test(knows_the_clouds),
		cmocka_unit_test_setup_teardown(remembers_so_many, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(opens_for_its_purpose_only, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(takes_one_file, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
