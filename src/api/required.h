/* SPDX-License-Identifier: Apache-2.0 */
/* Required policy packs as replies show them: policy/required_api.c makes them, update/update_api.c tells them to who announces an update. */
#ifndef API_REQUIRED_H
#define API_REQUIRED_H

#include "api/request.h"
#include "policy/required.h"

extern const struct field required_policy_fields[];

/* What the command line must enforce while it updates the stack of the path; a list for required_policy_fields. */
int request_required_policies(struct request *rq, const char *mode, struct object_list *ret_list, struct err *e) WARN_UNUSED;

#endif
