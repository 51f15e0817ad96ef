/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address.h"

#include <string.h>

#include "base/limits.h"

#define LOCAL_MOST 64	/* RFC 5321 §4.5.3.1.1 */
#define LABEL_MOST 63	/* RFC 1035 §2.3.4 */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5322 §3.2.3: atext. */
static bool is_atom(char c)
{
	return is_alphanumeric(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool local_valid(const char *text, size_t length)
{
	bool ok = length >= 1 && length <= LOCAL_MOST && text[0] != '.' && text[length - 1] != '.';

	for (size_t i = 0; ok && i < length; i++)
		ok = is_atom(text[i]) || (text[i] == '.' && text[i - 1] != '.');
	return ok;
}

static bool label_valid(const char *text, size_t length)
{
	bool ok = length >= 1 && length <= LABEL_MOST && text[0] != '-' && text[length - 1] != '-';

	for (size_t i = 0; ok && i < length; i++)
		ok = is_alphanumeric(text[i]) || text[i] == '-';
	return ok;
}

static bool domain_valid(const char *text)
{
	for (;;) {
		size_t n = strcspn(text, ".");

		if (!label_valid(text, n))
			return false;
		if (!text[n])
			return true;
		text += n + 1;
	}
}

bool address_valid(const char *text)
{
	const char *at = text ? strchr(text, '@') : NULL;

	return at && strlen(text) <= LIMIT_MAIL_ADDRESS && local_valid(text, (size_t)(at - text)) && domain_valid(at + 1);
}

/* No control characters: a name goes into a header. */
static bool name_valid(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < ' ' || *name == 127)
			return false;
	return true;
}

int mailbox_parse(const char *text, struct arena *arena, struct mailbox *ret_mailbox)
{
	const char *open = strrchr(text, '<');
	size_t n = strlen(text);
	struct mailbox box = { .name = "", .address = text };

	if (open && n > 2 && text[n - 1] == '>') {
		size_t name = (size_t)(open - text);

		while (name && text[name - 1] == ' ')
			name--;
		box.name = arena_strndup(arena, text, name);
		box.address = arena_strndup(arena, open + 1, n - (size_t)(open - text) - 2);
	}
	if (!address_valid(box.address) || !name_valid(box.name))
		return 0;
	*ret_mailbox = (struct mailbox){ arena_strdup(arena, box.name), arena_strdup(arena, box.address) };
	return 1;
}
