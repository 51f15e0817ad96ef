/* SPDX-License-Identifier: Apache-2.0 */
/* Auth policies that are objects: each is there, and is the text that its row names. */
#include <stdio.h>

#include "json/scan.h"
#include "object/object.h"
#include "verify/internal.h"

static int check_text(struct verify *v, const struct verify_row *row, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct span list;

	if (!row->object_id)
		return err_internal(e, "its row has the digest of an object, and not its name");
	if (row_object_load_text(v->app, ROW_OBJECT_POLICY, row->organization_id, row->object_id, row->sha256, &text, e) < 0 ||
	    scan_document(buffer_span(&text), &list, e) < 0)
		return -1;
	return list.data[0] == '[' ? 1 : err_internal(e, "is no JSON list");
}

static int check_policy(struct verify *v, const struct verify_row *row, struct err *e)
{
	struct err why = { 0 };
	char where[64];

	v->counts.policies++;
	v->seen(v->context, "auth policies", 1);
	if (check_text(v, row, &why) == 1)
		return 1;
	snprintf(where, sizeof(where), "auth policy %s", row->id);
	return verify_blame(v, where, &why, e);
}

int verify_policies(struct verify *v, struct err *e)
{
	return verify_pages(v, &VERIFY_POLICIES, verify_policy_columns, check_policy, e);
}
