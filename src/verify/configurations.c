/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations of updates that are objects: each is there, and is the text that its row names. */
#include <stdio.h>

#include "json/scan.h"
#include "object/object.h"
#include "verify/internal.h"

static int check_text(struct verify *v, const struct verify_row *row, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct span object;

	if (row_object_load_text(v->app, ROW_OBJECT_CONFIGURATION, row->stack_id, row->id, row->sha256, &text, e) < 0)
		return -1;
	if (row->bytes != (int64_t)text.length)
		return err_internal(e, "has %zu bytes, its row says %lld", text.length, (long long)row->bytes);
	if (scan_document(buffer_span(&text), &object, e) < 0)
		return -1;
	return object.data[0] == '{' ? 1 : err_internal(e, "is no JSON object");
}

static int check_configuration(struct verify *v, const struct verify_row *row, struct err *e)
{
	struct err why = { 0 };
	char where[64];

	v->counts.configurations++;
	v->seen(v->context, "configurations", 1);
	if (check_text(v, row, &why) == 1)
		return 1;
	snprintf(where, sizeof(where), "configuration of update %s", row->id);
	return verify_blame(v, where, &why, e);
}

int verify_configurations(struct verify *v, struct err *e)
{
	return verify_pages(v, &VERIFY_CONFIGURATIONS, verify_configuration_columns, check_configuration, e);
}
