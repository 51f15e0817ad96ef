/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The licence key of the vendor's server (PULUMI_LICENSE_KEY). Nothing here depends on one: that it ends is shown, and that is all.
 * Its signature is not looked at.
 */
#ifndef ORG_LICENCE_H
#define ORG_LICENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When a key ends that is a JSON Web Token (RFC 7519, "exp"), microseconds since 1970, UTC; false when it is none, or says
 * nothing. NULL is no key.
 */
bool licence_ends_at(const char *key, int64_t *ret_ends_at);

#endif
