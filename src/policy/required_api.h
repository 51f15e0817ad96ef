/* SPDX-License-Identifier: Apache-2.0 */
/* Required policy packs as replies show them: update/update_api.c has them in the answer that announces an update. */
#ifndef POLICY_REQUIRED_API_H
#define POLICY_REQUIRED_API_H

#include "api/request.h"
#include "policy/required.h"

extern const struct field required_policy_fields[];

/* What the command line must enforce while it updates the stack of the path; a list for required_policy_fields. */
int request_required_policies(struct request *rq, const char *mode, struct object_list *ret_list, struct err *e) WARN_UNUSED;

#endif
