/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials for AWS, found in the order of its SDKs: a profile that was asked for, environment, web identity, the profile
 * of the shared files, container, instance; and a role that is assumed with them. Temporary ones are asked for again before
 * they end.
 */
#ifndef NET_AWS_H
#define NET_AWS_H

#include "net/sigv4.h"
#include "net/web.h"

struct aws;

/* `profile` NULL: AWS_PROFILE or "default". Nothing is asked for yet. */
struct aws *aws_open(const char *profile);
void aws_close(struct aws *aws);
/* AWS_REGION, AWS_DEFAULT_REGION or the profile's; NULL when none says. */
const char *aws_region(struct aws *aws);
/* Those to use now; they live until the next call. ERR_UNAVAILABLE with a sentence when there are none. */
int aws_credentials(struct aws *aws, struct web *web, int64_t now_us, struct aws_credentials *ret_credentials,
		    struct err *e) WARN_UNUSED;
/* Looks for others at the next call: a service said that these have ended. */
void aws_forget(struct aws *aws);

#endif
