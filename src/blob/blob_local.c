/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/blob.h"

struct blob_store {
	char *folder;
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

static int write_durably(const char *path, struct span data, struct err *e)
{
	_cleanup_(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	size_t done = 0;

	if (fd < 0)
		return fail("cannot create", path, e);
	while (done < data.length) {
		ssize_t n = write(fd, data.data + done, data.length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail("cannot write", path, e);
		done += (size_t)n;
	}
	return fsync(fd) == 0 ? 1 : fail("cannot flush", path, e);
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

int blob_put(struct blob_store *store, const char *key, struct span data, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT, scratch = BUFFER_INIT;
	static unsigned counter;
	char *slash;

	if (path_of(store, key, &path, e) < 0 || make_parents(path.data, strlen(store->folder), e) < 0)
		return -1;
	buffer_printf(&scratch, "%s.%d.%u.tmp", path.data, (int)getpid(), counter++);
	unlink(scratch.data);
	if (write_durably(scratch.data, data, e) < 0 ||
	    (rename(scratch.data, path.data) < 0 && fail("cannot rename to", path.data, e) < 0)) {
		unlink(scratch.data);
		return -1;
	}
	slash = strrchr(path.data, '/');
	*slash = '\0';
	return sync_folder(path.data, e);
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
	store->folder = xstrdup(folder);
	*ret_store = store;
	return 1;
}

void blob_close(struct blob_store *store)
{
	if (store)
		free(store->folder);
	free(store);
}
