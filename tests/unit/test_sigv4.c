/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The examples that AWS publishes: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
 * Payload in a Single Chunk" and "Authenticating Requests: Using Query Parameters"
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, …/sigv4-query-string-auth.html).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "net/sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define WELCOME "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define MAY_24_2013 1369353600000000LL

static const struct aws_credentials keys = { "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL };

static struct sigv4_request request(const char *method, const char *path, const char *query, const char *payload)
{
	return (struct sigv4_request){ method, "examplebucket.s3.amazonaws.com", path, query, payload, "us-east-1", "s3", MAY_24_2013 };
}

static void check(struct sigv4_request rq, const char *more, const char *names, const char *signature)
{
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT, wanted = BUFFER_INIT;

	sigv4_sign(&rq, &keys, more, &headers);
	buffer_printf(&wanted, "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
			       "SignedHeaders=%s, Signature=%s\n", names, signature);
	assert_non_null(strstr(headers.data, "Authorization"));
	assert_string_equal(strstr(headers.data, "Authorization"), wanted.data);
}

static void test_get_object(void **state)
{
	(void)state;
	check(request("GET", "/test.txt", "", EMPTY), "range: bytes=0-9\n", "host;range;x-amz-content-sha256;x-amz-date",
	      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

/* The caller's lines in any order. */
static void test_put_object(void **state)
{
	(void)state;
	check(request("PUT", "/test%24file.text", "", WELCOME),
	      "x-amz-storage-class: REDUCED_REDUNDANCY\ndate: Fri, 24 May 2013 00:00:00 GMT\n",
	      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void test_queries(void **state)
{
	(void)state;
	check(request("GET", "/", "lifecycle=", EMPTY), "", "host;x-amz-content-sha256;x-amz-date",
	      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	check(request("GET", "/", "max-keys=2&prefix=J", EMPTY), "", "host;x-amz-content-sha256;x-amz-date",
	      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void test_presigned(void **state)
{
	_cleanup_(buffer_done) struct buffer query = BUFFER_INIT;
	struct sigv4_request rq = request("GET", "/test.txt", "", "UNSIGNED-PAYLOAD");

	(void)state;
	sigv4_presign(&rq, &keys, 86400, "", &query);
	assert_string_equal(query.data, "X-Amz-Algorithm=AWS4-HMAC-SHA256&"
			    "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&"
			    "X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&"
			    "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

/* As botocore 1.43.11 signs the same request (S3SigV4QueryAuth). */
static void test_presigned_with_headers_and_a_token(void **state)
{
	_cleanup_(buffer_done) struct buffer query = BUFFER_INIT;
	struct aws_credentials temporary = { keys.access_key, keys.secret_key, "to/ken" };
	struct sigv4_request rq = request("PUT", "/policypacks/p/upload", "", "UNSIGNED-PAYLOAD");

	(void)state;
	sigv4_presign(&rq, &temporary, 900, "x-amz-server-side-encryption-aws-kms-key-id: key/1\nx-amz-server-side-encryption: aws:kms\n",
		      &query);
	assert_non_null(strstr(query.data, "&X-Amz-Security-Token=to%2Fken&X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption%3B"
					   "x-amz-server-side-encryption-aws-kms-key-id&X-Amz-Signature="
					   "2f5a0c2dcbd074da72e0e7cd7e995d7204e86e4fec0fae8a280d798111b99c8b"));
}

static void test_session_token_is_signed(void **state)
{
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT;
	struct aws_credentials temporary = { keys.access_key, keys.secret_key, "token" };
	struct sigv4_request rq = request("GET", "/", "", EMPTY);

	(void)state;
	sigv4_sign(&rq, &temporary, "x-amz-target: t\nx-amz-meta-a: b\n", &headers);
	assert_non_null(strstr(headers.data, "x-amz-security-token: token\n"));
	assert_non_null(strstr(headers.data, "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;"
					     "x-amz-security-token;x-amz-target,"));
}

static void test_a_name_that_begins_another(void **state)
{
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT;
	struct sigv4_request rq = request("PUT", "/", "", EMPTY);

	(void)state;
	sigv4_sign(&rq, &keys, "x-amz-a-key: k\nx-amz-a: v\nx-amz-a-0: z\n", &headers);
	assert_non_null(strstr(headers.data, "SignedHeaders=host;x-amz-a;x-amz-a-0;x-amz-a-key;x-amz-content-sha256;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_object), cmocka_unit_test(test_put_object), cmocka_unit_test(test_queries),
		cmocka_unit_test(test_presigned),
		cmocka_unit_test(test_presigned_with_headers_and_a_token), cmocka_unit_test(test_session_token_is_signed),
		cmocka_unit_test(test_a_name_that_begins_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
