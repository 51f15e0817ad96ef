/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>

int err_set(struct err *e, enum err_kind kind, const char *format, ...)
{
	va_list args;

	if (e->kind != ERR_NONE)
		return -1;

	e->kind = kind;
	e->detail[0] = '\0';
	va_start(args, format);
	vsnprintf(e->message, sizeof(e->message), format, args);
	va_end(args);
	return -1;
}

static __attribute__((format(printf, 4, 0))) int set_detail(struct err *e, enum err_kind kind, const char *message,
							    const char *format, va_list args)
{
	if (e->kind != ERR_NONE)
		return -1;

	e->kind = kind;
	snprintf(e->message, sizeof(e->message), "%s", message);
	vsnprintf(e->detail, sizeof(e->detail), format, args);
	return -1;
}

int err_internal(struct err *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_detail(e, ERR_INTERNAL,
		   "Internal Server Error: the server could not finish this request; "
		   "its administrator finds the reason in the log under the request id",
		   format, args);
	va_end(args);
	return -1;
}

int err_unavailable(struct err *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_detail(e, ERR_UNAVAILABLE,
		   "Service Unavailable: the server cannot reach its storage at the moment; try again",
		   format, args);
	va_end(args);
	return -1;
}

void err_clear(struct err *e)
{
	e->kind = ERR_NONE;
	e->message[0] = '\0';
	e->detail[0] = '\0';
}
