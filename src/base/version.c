/* SPDX-License-Identifier: Apache-2.0 */
#include "base/version.h"

#include <string.h>

#define VERSION_MOST 63
#define DIGITS "0123456789"
#define LABEL DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"

/* A number without leading zeros; where it ends, NULL when it is none. */
static const char *skip_number(const char *at)
{
	size_t n = strspn(at, DIGITS);

	return n && n < 19 && (n == 1 || *at != '0') ? at + n : NULL;
}

/* Labels separated by dots, none of them empty. */
static const char *skip_labels(const char *at)
{
	do {
		size_t n = strspn(++at, LABEL);

		if (!n)
			return NULL;
		at += n;
	} while (*at == '.');
	return at;
}

bool version_valid(const char *text)
{
	const char *at = text + (*text == 'v');

	if (strlen(text) > VERSION_MOST)
		return false;
	for (int i = 0; at && i < 3; i++) {
		at = skip_number(at);
		if (at && i < 2)
			at = *at == '.' ? at + 1 : NULL;
	}
	if (at && *at == '-')
		at = skip_labels(at);
	if (at && *at == '+')
		at = skip_labels(at);
	return at && !*at;
}
