/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 4: headers that prove who asks, and addresses that may be used by others for a while. */
#ifndef NET_SIGV4_H
#define NET_SIGV4_H

#include <stdint.h>

#include "base/buffer.h"

struct aws_credentials {
	const char *access_key, *secret_key, *session_token;	/* session_token NULL: long-lived keys */
};

struct sigv4_request {
	const char *method, *host;
	const char *path;		/* percent-encoded, starts with '/' */
	const char *query;		/* percent-encoded name=value pairs in order of their names, "" for none */
	const char *payload_sha256;	/* hex, or UNSIGNED-PAYLOAD */
	const char *region, *service;
	int64_t now_us;
};

/*
 * Appends Host, X-Amz-Date, X-Amz-Content-Sha256, the session token and Authorization as header lines. `signed_headers` are
 * further lines "name: value", lower-case names, each ending in '\n', that are signed and appended too; "" for none.
 */
void sigv4_sign(const struct sigv4_request *rq, const struct aws_credentials *credentials, const char *signed_headers,
		struct buffer *ret_headers);
/*
 * Appends the query of an address that is good for `seconds`, without the leading '?'. A request there must have the
 * `signed_headers`, lines as above.
 */
void sigv4_presign(const struct sigv4_request *rq, const struct aws_credentials *credentials, int seconds,
		   const char *signed_headers, struct buffer *ret_query);

#endif
