/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call to an object store, for the tests: object-tool WHERE put|get|delete KEY, object-tool WHERE list PREFIX, object-tool WHERE
 * presign KEY METHOD SECONDS (the address, then the header lines),
 * object-tool WHERE delete-older KEY MICROSECONDS, object-tool WHERE put-many PREFIX COUNT, object-tool WHERE wait-put KEY
 * SECONDS COUNT (puts again and again). Bytes come from standard input and go to standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "blob/blob.h"

#define NAME "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT"

static void read_input(struct buffer *ret_data)
{
	size_t n;

	do {
		n = fread(buffer_reserve(ret_data, 1 << 20), 1, 1 << 20, stdin);
		ret_data->length += n;
	} while (n);
}

static int print_object(void *context, const struct blob_object *object, struct err *e)
{
	(void)context, (void)e;
	printf("%s %lld %lld\n", object->key, (long long)object->bytes, (long long)object->modified_at);
	return 1;
}

static int put_many(struct blob_store *store, const char *prefix, long count, struct err *e)
{
	char key[256];

	for (long i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%s%05ld", prefix, i);
		if (blob_put(store, key, span_of(key), e) < 0)
			return -1;
	}
	return 1;
}

static int put_slowly(struct blob_store *store, const char *key, long seconds, long count, struct err *e)
{
	for (long i = 0; i < count; i++) {
		if (blob_put(store, key, span_of(key), e) < 0)
			return -1;
		sleep((unsigned)seconds);
	}
	return 1;
}

static int presign(struct blob_store *store, const char *key, const char *method, long seconds, struct err *e)
{
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT, lines = BUFFER_INIT;
	int rc = blob_presign(store, method, key, (int)seconds, &url, &lines, e);

	if (rc == 1)
		printf("%s\n%s", url.data, lines.data);
	return rc;
}

static int run(struct blob_store *store, char **argv, struct err *e)
{
	_cleanup_(buffer_done) struct buffer data = BUFFER_INIT;
	const char *what = argv[2], *key = argv[3], *more = argv[4];
	int rc;

	if (!strcmp(what, "put")) {
		read_input(&data);
		return blob_put(store, key, buffer_span(&data), e);
	}
	if (!strcmp(what, "get")) {
		rc = blob_get(store, key, &data, e);
		fwrite(data.data ? data.data : "", 1, data.length, stdout);
		return rc;
	}
	if (!strcmp(what, "delete"))
		return blob_delete(store, key, e);
	if (!strcmp(what, "delete-older") && more)
		return blob_delete_older(store, key, strtoll(more, NULL, 10), e);
	if (!strcmp(what, "list"))
		return blob_list(store, key, print_object, NULL, e);
	if (!strcmp(what, "put-many") && more)
		return put_many(store, key, strtol(more, NULL, 10), e);
	if (!strcmp(what, "presign") && more && argv[5])
		return presign(store, key, more, strtol(argv[5], NULL, 10), e);
	if (!strcmp(what, "wait-put") && more && argv[5])
		return put_slowly(store, key, strtol(more, NULL, 10), strtol(argv[5], NULL, 10), e);
	return err_internal(e, "'%s' is nothing that this program does", what);
}

/* 0 done, 1 there is no such object, 2 with a sentence. */
int main(int argc, char **argv)
{
	struct blob_store *store = NULL;
	struct err e = { 0 };
	int rc;

	if (argc < 4) {
		fprintf(stderr, "usage: object-tool WHERE WHAT KEY [MORE ...]\n");
		return 2;
	}
	rc = blob_open(NAME, argv[1], true, &store, &e);
	if (rc == 1)
		rc = run(store, argv, &e);
	blob_close(store);
	if (rc < 0)
		fprintf(stderr, "%s\n", e.detail[0] ? e.detail : e.message);
	return rc < 0 ? 2 : rc == 0;
}
