/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/config.h"

#include "base/limits.h"

struct stack_config {
	const char *environment, *secrets_provider, *encrypted_key, *encryption_salt;
};

const struct field stack_config_fields[] = {
	FIELD(stack_config, environment, "environment", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 512,
	      .help = "project/name, perhaps with @version"),
	FIELD(stack_config, secrets_provider, "secretsProvider", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(stack_config, encrypted_key, "encryptedKey", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(stack_config, encryption_salt, "encryptionSalt", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

static bool is_environment(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t project = strspn(text, allowed), name;

	if (!project || text[project] != '/')
		return false;
	text += project + 1;
	name = strspn(text, allowed);
	text += name;
	return name && (!*text || (*text == '@' && text[1] && strspn(text + 1, allowed) == strlen(text + 1)));
}

int stack_check_config(struct span *config, struct arena *arena, struct err *e)
{
	struct stack_config body = { 0 };
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	if (fields_read(stack_config_fields, *config, arena, &body, e) < 0)
		return -1;
	if (!is_environment(body.environment))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the environment '%.200s' must be project/name, perhaps with @version",
			       body.environment);
	fields_write(stack_config_fields, &body, &text);
	if (text.length > LIMIT_STACK_CONFIG)
		return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: the configuration has %zu bytes, at most %llu are allowed",
			       text.length, LIMIT_STACK_CONFIG);
	*config = (struct span){ arena_strndup(arena, text.data, text.length), text.length };
	return 1;
}
