/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/blob.h"

#define SCRATCH "scratch"	/* folder inside the store for what is being written */

struct blob_store {
	char *folder;		/* absolute */
	unsigned long long written;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int fail(const char *what, const char *path, struct err *e)
{
	return err_unavailable(e, "object store: %s %s: %s", what, path, strerror(errno));
}

static int sync_folder(const char *path, struct err *e)
{
	_cleanup_(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0 ? 1 : fail("cannot flush", path, e);
}

/* Makes the folders above `path` that are missing, each durable in its parent. */
static int make_parents(char *path, size_t root, struct err *e)
{
	for (char *slash = strchr(path + root + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0750);
		if (rc < 0 && errno != EEXIST) {
			fail("cannot make", path, e);
			*slash = '/';
			return -1;
		}
		if (rc == 0) {
			char *above = strrchr(path, '/');

			*above = '\0';
			rc = sync_folder(path, e);
			*above = '/';
		}
		*slash = '/';
		if (rc == -1 && e->kind != ERR_NONE)
			return -1;
	}
	return 1;
}

static bool key_valid(const char *key)
{
	size_t n = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/");

	return key[0] && key[n] == '\0' && key[0] != '/' && !strstr(key, "..") && !strstr(key, "//");
}

static int path_of(struct blob_store *store, const char *key, struct buffer *ret_path, struct err *e)
{
	if (!key_valid(key))
		return err_internal(e, "object store: '%s' is no key", key);
	buffer_printf(ret_path, "%s/%s", store->folder, key);
	return 1;
}

struct blob_writer {
	struct sink sink;
	struct blob_store *store;
	char *scratch;		/* path while it is written; NULL when it was renamed */
	int fd;
};

static int writer_write(struct sink *self, const void *data, size_t length, struct err *e)
{
	struct blob_writer *w = (struct blob_writer *)self;
	const char *from = data;

	while (length) {
		ssize_t n = write(w->fd, from, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail("cannot write", w->scratch, e);
		from += n;
		length -= (size_t)n;
	}
	return 1;
}

/* Scratch files are named by process and count; those that a dead process left are overwritten or swept. */
int blob_writer_open(struct blob_store *store, struct blob_writer **ret_writer, struct err *e)
{
	_cleanup_(blob_writer_closep) struct blob_writer *w = xcalloc(1, sizeof(*w));
	struct buffer path = BUFFER_INIT;

	buffer_printf(&path, "%s/" SCRATCH "/%d.%llu", store->folder, (int)getpid(), store->written++);
	w->scratch = path.data;
	w->store = store;
	w->sink.write = writer_write;
	w->fd = -1;
	if (make_parents(w->scratch, strlen(store->folder), e) < 0)
		return -1;
	w->fd = open(w->scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (w->fd < 0)
		return fail("cannot create", w->scratch, e);
	*ret_writer = TAKE(w);
	return 1;
}

struct sink *blob_writer_sink(struct blob_writer *w)
{
	return &w->sink;
}

static int rename_durably(struct blob_writer *w, char *path, struct err *e)
{
	char *slash = strrchr(path, '/');
	int rc;

	if (fsync(w->fd) < 0)
		return fail("cannot flush", w->scratch, e);
	if (rename(w->scratch, path) < 0)
		return fail("cannot rename to", path, e);
	freep(&w->scratch);
	w->scratch = NULL;
	*slash = '\0';
	rc = sync_folder(path, e);
	*slash = '/';
	return rc;
}

int blob_writer_commit(struct blob_writer *w, const char *key, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;

	if (path_of(w->store, key, &path, e) < 0 || make_parents(path.data, strlen(w->store->folder), e) < 0)
		return -1;
	return rename_durably(w, path.data, e);
}

void blob_writer_close(struct blob_writer *w)
{
	if (!w)
		return;
	close_fd(&w->fd);
	if (w->scratch)
		unlink(w->scratch);
	free(w->scratch);
	free(w);
}

void blob_writer_closep(struct blob_writer **w)
{
	blob_writer_close(*w);
}

int blob_put(struct blob_store *store, const char *key, struct span data, struct err *e)
{
	_cleanup_(blob_writer_closep) struct blob_writer *w = NULL;

	if (blob_writer_open(store, &w, e) < 0 || sink_write(blob_writer_sink(w), data.data, data.length, e) < 0)
		return -1;
	return blob_writer_commit(w, key, e);
}

int blob_file(struct blob_store *store, const char *key, struct arena *arena, const char **ret_path, size_t *ret_size,
	      struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;
	struct stat st;

	if (path_of(store, key, &path, e) < 0)
		return -1;
	if (stat(path.data, &st) < 0)
		return errno == ENOENT ? 0 : fail("cannot find", path.data, e);
	*ret_path = arena_strdup(arena, path.data);
	*ret_size = (size_t)st.st_size;
	return 1;
}

int blob_get(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;
	_cleanup_(close_fd) int fd = -1;
	struct stat st;
	ssize_t n;

	if (path_of(store, key, &path, e) < 0)
		return -1;
	fd = open(path.data, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail("cannot open", path.data, e);
	for (size_t left = (size_t)st.st_size; left; left -= (size_t)n) {
		n = read(fd, buffer_reserve(ret_data, left), left);
		if (n <= 0)
			return fail("cannot read", path.data, e);
		ret_data->length += (size_t)n;
	}
	return 1;
}

int blob_open_local(const char *folder, struct blob_store **ret_store, struct err *e)
{
	struct blob_store *store;

	if (access(folder, R_OK | W_OK | X_OK) < 0)
		return err_internal(e, "PULUMI_LOCAL_OBJECTS: cannot use folder %s: %s", folder, strerror(errno));
	store = xcalloc(1, sizeof(*store));
	store->folder = realpath(folder, NULL);
	*ret_store = store;
	return store->folder ? 1 : err_internal(e, "PULUMI_LOCAL_OBJECTS: %s: %s", folder, strerror(errno));
}

void blob_close(struct blob_store *store)
{
	if (store)
		free(store->folder);
	free(store);
}
