/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Master keys in local files of 32 bytes: one file, or a folder of them. All of them open; the one whose file
 * name sorts last (by bytes) seals. Hidden files are none. A key's id is the start of its SHA-256.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "secret/provider.h"

struct master_key {
	unsigned char key[AEAD_KEY_BYTES];
	char id[MASTER_KEY_ID];
};

struct local_keys {
	char *where;
	struct master_key *keys;	/* in the order of their names */
	size_t count;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* The caller made room for one more. */
static void add_key(struct local_keys *l, const unsigned char *bytes)
{
	struct master_key *key = &l->keys[l->count++];
	unsigned char digest[SHA256_BYTES];

	memcpy(key->key, bytes, AEAD_KEY_BYTES);
	sha256((struct span){ (const char *)bytes, AEAD_KEY_BYTES }, digest);
	hex_encode(digest, (MASTER_KEY_ID - 1) / 2, key->id);
}

static int read_key(const char *name, const char *path, struct local_keys *l, struct err *e)
{
	_cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char bytes[AEAD_KEY_BYTES + 1];
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (n < 0)
		return err_internal(e, "%s: cannot read %s: %s", name, path, strerror(errno));
	if (n == AEAD_KEY_BYTES)
		add_key(l, bytes);
	wipe(bytes, sizeof(bytes));
	return n == AEAD_KEY_BYTES ? 1 : err_internal(e, "%s: %s must have exactly %d bytes", name, path, AEAD_KEY_BYTES);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(const char *name, struct local_keys *l, struct err *e)
{
	struct dirent **files;
	int n = scandir(l->where, &files, visible, by_name), rc = 1;

	if (n < 0)
		return err_internal(e, "%s: cannot read %s: %s", name, l->where, strerror(errno));
	l->keys = xcalloc((size_t)n + 1, sizeof(*l->keys));
	for (int i = 0; i < n; i++) {
		struct buffer path = BUFFER_INIT;

		buffer_printf(&path, "%s/%s", l->where, files[i]->d_name);
		if (rc == 1)
			rc = read_key(name, path.data, l, e);
		buffer_done(&path);
		free(files[i]);
	}
	free(files);
	if (rc == 1 && l->count == 0)
		return err_internal(e, "%s: %s holds no key; make one: head -c 32 /dev/urandom > %s/master.key", name, l->where,
				    l->where);
	return rc;
}

static void forget(struct local_keys *l)
{
	if (l->keys)
		wipe(l->keys, l->count * sizeof(*l->keys));
	free(l->keys);
	l->keys = NULL;
	l->count = 0;
}

static int load(const char *name, struct local_keys *l, struct err *e)
{
	struct stat st;

	if (stat(l->where, &st) < 0)
		return err_internal(e, "%s: %s: %s", name, l->where, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return read_folder(name, l, e);
	l->keys = xcalloc(1, sizeof(*l->keys));
	return read_key(name, l->where, l, e);
}

static void local_close(void *state)
{
	struct local_keys *l = state;

	forget(l);
	free(l->where);
	free(l);
}

static int local_open(const char *name, const char *where, bool seals, bool try, void **ret_state, struct err *e)
{
	struct local_keys *l = xcalloc(1, sizeof(*l));

	(void)seals;
	(void)try;
	l->where = xstrdup(where);
	if (load(name, l, e) < 0) {
		local_close(l);
		return -1;
	}
	*ret_state = l;
	return 1;
}

static const struct master_key *key_of(const struct local_keys *l, const char *id)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->keys[i].id, id))
			return &l->keys[i];
	return NULL;
}

static bool local_has(const void *state, const char *id)
{
	return key_of(state, id) != NULL;
}

/* What cannot be read now, such as a key that is being written, leaves the known ones in use. */
static void local_refresh(void *state)
{
	struct local_keys *l = state, again = { .where = l->where };
	struct err ignored = { 0 };

	if (load("", &again, &ignored) < 0) {
		forget(&again);
		return;
	}
	forget(l);
	*l = again;
}

static const char *local_active(const void *state)
{
	const struct local_keys *l = state;

	return l->keys[l->count - 1].id;
}

static int local_seal(void *state, struct span bound, const unsigned char *key, struct buffer *ret_sealed, struct err *e)
{
	const struct local_keys *l = state;

	return aead_seal(l->keys[l->count - 1].key, bound, (struct span){ (const char *)key, AEAD_KEY_BYTES }, ret_sealed, e);
}

static int local_unseal(void *state, const char *id, struct span bound, struct span sealed, unsigned char *ret_key,
			struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer plain = BUFFER_INIT;
	int rc = aead_open(key_of(state, id)->key, bound, sealed, &plain, e);

	if (rc == 1 && plain.length == AEAD_KEY_BYTES)
		memcpy(ret_key, plain.data, AEAD_KEY_BYTES);
	return rc == 1 && plain.length != AEAD_KEY_BYTES ? 0 : rc;
}

const struct key_provider key_local = {
	.scheme = "",
	.open = local_open,
	.close = local_close,
	.active = local_active,
	.has = local_has,
	.refresh = local_refresh,
	.seal = local_seal,
	.unseal = local_unseal,
};
