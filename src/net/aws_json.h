/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS services that speak JSON (protocol awsJson 1.0 and 1.1): each call is one POST that names its operation in
 * X-Amz-Target. Owns the connection and the credentials. Calls are made again when the service is busy or away, so they
 * must be ones that may be repeated. Knows no operation.
 */
#ifndef NET_AWS_JSON_H
#define NET_AWS_JSON_H

#include "net/web.h"

struct aws_json_service {
	const char *name;	/* in signatures and in the name of the host: "dynamodb" */
	const char *target;	/* stands before the operation: "DynamoDB_20120810" */
	const char *type;	/* Content-Type */
	const char *endpoint;	/* variable that names another address; AWS_ENDPOINT_URL is the next one asked */
	int timeout_s, total_s;	/* of one attempt; no further attempt begins after the second */
};

struct aws_json;

/*
 * Looks for region (NULL: that of AWS_REGION or the profile) and address; asks nobody anything yet. -1 with a sentence in
 * e->detail that starts with `setting`. `service` lives as long as what is opened.
 */
int aws_json_open(const struct aws_json_service *service, const char *setting, const char *region,
		  struct aws_json **ret_opened, struct err *e) WARN_UNUSED;
void aws_json_close(struct aws_json *opened);
/* Whether there are credentials; -1 with a sentence that starts with `setting`. */
int aws_json_check_credentials(struct aws_json *opened, const char *setting, struct err *e) WARN_UNUSED;
void aws_json_observe(struct aws_json *opened, const struct observer *observer);

/*
 * 1 answered with 200; 0 refused for good, for which aws_json_error has the name; -1 ERR_UNAVAILABLE when the service was
 * away or busy at each of the attempts, between which are growing, jittered pauses. Credentials that have ended are
 * looked for again, once.
 */
int aws_json_call(struct aws_json *opened, const char *operation, struct span body, int attempts, struct web_answer *ret_answer,
		  struct err *e) WARN_UNUSED;
/* Whether an answer refuses credentials because they have ended, and nothing else. */
bool aws_json_has_ended(const struct web_answer *answer);
/* What an answer that is no success says, as one line for a sentence, in the arena: its status and the start of its body. */
const char *aws_json_said(const struct web_answer *answer, struct arena *arena);
/* The name of an answer's error without its name space, in the arena; "" when it has none. */
const char *aws_json_error(const struct web_answer *answer, struct arena *arena);

#endif
