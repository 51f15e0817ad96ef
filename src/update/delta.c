/* SPDX-License-Identifier: Apache-2.0 */
/* Edits of a state's text: byte offsets into the text before, sorted, not overlapping. */
#include "json/scan.h"
#include "update/internal.h"

struct edit {
	int64_t start, end;
	struct span text;
};

static bool offset_of(struct span range, const char *name, int64_t *ret_offset)
{
	struct span position, offset;

	return scan_find(range, name, &position) && scan_find(position, "offset", &offset) && scan_int(offset, ret_offset);
}

static int read_edit(struct span json, struct arena *arena, struct edit *ret, struct err *e)
{
	struct span range, text;

	*ret = (struct edit){ .text = SPAN("") };
	if (json.data[0] != '{' || !scan_find(json, "Span", &range) || !offset_of(range, "start", &ret->start) ||
	    !offset_of(range, "end", &ret->end))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: each edit of deploymentDelta must have a Span with start.offset and end.offset");
	if (scan_find(json, "NewText", &text) && !scan_text(text, arena, &ret->text))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: NewText of an edit must be a string");
	return 1;
}

static int apply(struct span previous, const struct edit *edit, int64_t *at, size_t limit, struct buffer *out,
		 struct err *e)
{
	if (edit->start < *at || edit->end < edit->start || (size_t)edit->end > previous.length)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the edit of bytes %lld to %lld overlaps another or lies outside the %zu bytes before",
			       (long long)edit->start, (long long)edit->end, previous.length);
	buffer_append(out, previous.data + *at, (size_t)(edit->start - *at));
	buffer_append(out, edit->text.data, edit->text.length);
	*at = edit->end;
	if (out->length > limit)
		return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: the edits make more than %zu bytes", limit);
	return 1;
}

int delta_apply(struct span previous, struct span edits, size_t limit, struct buffer *out, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct edit edit;
	struct span json;
	int64_t at = 0;
	struct scan s;

	if (edits.data && edits.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: deploymentDelta must be a list of edits");
	if (edits.data)
		for (scan_open(&s, edits); scan_element(&s, &json);)
			if (read_edit(json, &arena, &edit, e) < 0 || apply(previous, &edit, &at, limit, out, e) < 0)
				return -1;
	buffer_append(out, previous.data + at, previous.length - (size_t)at);
	return 1;
}
