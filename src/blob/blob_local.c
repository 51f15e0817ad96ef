/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in a local folder: written to a scratch file, flushed, renamed into place, the folder flushed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "blob/provider.h"
#include "crypto/crypto.h"

#define SCRATCH "scratch"	/* folder inside the store for what is being written */

struct local_store {
	struct blob_store store;
	char *folder;			/* absolute */
};

struct local_writer {
	struct blob_writer writer;
	char *scratch;			/* path while it is written; NULL when it was renamed */
	int fd;
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

/* Makes one folder, durable in the one above. */
static int make_folder(char *path, struct err *e)
{
	char *above = strrchr(path, '/');
	int rc;

	fault_point("blob.mkdir");
	if (mkdir(path, 0750) < 0)
		return errno == EEXIST ? 1 : fail("cannot make", path, e);
	*above = '\0';
	fault_point("blob.mkdir_flush");
	rc = sync_folder(path, e);
	*above = '/';
	return rc;
}

static int make_parents(char *path, size_t root, struct err *e)
{
	for (char *slash = strchr(path + root + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = make_folder(path, e);
		*slash = '/';
		if (rc < 0)
			return -1;
	}
	return 1;
}

static struct local_store *local_of(struct blob_store *store)
{
	return (struct local_store *)store;
}

static void path_of(struct blob_store *store, const char *key, struct buffer *ret_path)
{
	buffer_printf(ret_path, "%s/%s", local_of(store)->folder, key);
}

static int writer_write(struct sink *self, const void *data, size_t length, struct err *e)
{
	struct local_writer *w = (struct local_writer *)self;
	const char *from = data;

	while (length) {
		ssize_t n;

		fault_point("blob.write");
		n = write(w->fd, from, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail("cannot write", w->scratch, e);
		from += n;
		length -= (size_t)n;
	}
	return 1;
}

static void writer_close(struct blob_writer *self)
{
	struct local_writer *w = (struct local_writer *)self;

	close_fd(&w->fd);
	if (w->scratch)
		unlink(w->scratch);
	free(w->scratch);
	free(w);
}

/* Names of scratch files are random: hosts may share the folder. Those that a dead process left are swept. */
static void scratch_path(struct blob_store *store, struct buffer *ret_path)
{
	unsigned char random[16];
	char hex[2 * sizeof(random) + 1];

	random_bytes(random, sizeof(random));
	hex_encode(random, sizeof(random), hex);
	buffer_printf(ret_path, "%s/" SCRATCH "/%s", local_of(store)->folder, hex);
}

static int writer_open(struct blob_store *store, struct blob_writer **ret_writer, struct err *e)
{
	struct local_writer *w = xcalloc(1, sizeof(*w));
	_cleanup_(blob_writer_closep) struct blob_writer *guard = &w->writer;
	struct buffer path = BUFFER_INIT;

	scratch_path(store, &path);
	w->writer = (struct blob_writer){ { writer_write }, store };
	w->scratch = path.data;
	w->fd = -1;
	if (make_parents(w->scratch, strlen(local_of(store)->folder), e) < 0)
		return -1;
	fault_point("blob.create");
	w->fd = open(w->scratch, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (w->fd < 0)
		return fail("cannot create", w->scratch, e);
	*ret_writer = TAKE(guard);
	return 1;
}

static int rename_durably(struct local_writer *w, char *path, struct err *e)
{
	char *slash = strrchr(path, '/');
	int rc;

	fault_point("blob.flush");
	if (fsync(w->fd) < 0)
		return fail("cannot flush", w->scratch, e);
	fault_point("blob.rename");
	if (rename(w->scratch, path) < 0)
		return fail("cannot rename to", path, e);
	free(TAKE(w->scratch));
	*slash = '\0';
	fault_point("blob.folder_flush");
	rc = sync_folder(path, e);
	*slash = '/';
	fault_point("blob.done");
	return rc;
}

static int writer_commit(struct blob_writer *self, const char *key, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;

	path_of(self->store, key, &path);
	if (make_parents(path.data, strlen(local_of(self->store)->folder), e) < 0)
		return -1;
	return rename_durably((struct local_writer *)self, path.data, e);
}

static int local_get(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;
	_cleanup_(close_fd) int fd = -1;
	struct stat st;
	ssize_t n;

	path_of(store, key, &path);
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

static int local_file(struct blob_store *store, const char *key, struct arena *arena, const char **ret_path,
		      size_t *ret_size, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;
	struct stat st;

	path_of(store, key, &path);
	if (stat(path.data, &st) < 0)
		return errno == ENOENT ? 0 : fail("cannot find", path.data, e);
	*ret_path = arena_strdup(arena, path.data);
	*ret_size = (size_t)st.st_size;
	return 1;
}

static int local_delete(struct blob_store *store, const char *key, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;

	path_of(store, key, &path);
	if (unlink(path.data) == 0)
		return 1;
	return errno == ENOENT ? 0 : fail("cannot delete", path.data, e);
}

static int64_t modified_at(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
}

/* Decides about the file that was moved aside, which nobody can replace any more. */
static int delete_aside(const char *aside, const char *path, int64_t before_us, struct err *e)
{
	struct stat st;
	bool older;

	if (stat(aside, &st) < 0)
		return fail("cannot find", aside, e);
	older = modified_at(&st) < before_us;
	/* Written between the two looks: it goes back, unless it was written once more. */
	if (!older && link(aside, path) < 0 && errno != EEXIST)
		return fail("cannot put back", path, e);
	if (unlink(aside) < 0)
		return fail("cannot delete", aside, e);
	return older;
}

static int local_delete_older(struct blob_store *store, const char *key, int64_t before_us, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT, aside = BUFFER_INIT;
	struct stat st;

	path_of(store, key, &path);
	if (stat(path.data, &st) < 0)
		return errno == ENOENT ? 0 : fail("cannot find", path.data, e);
	if (modified_at(&st) >= before_us)
		return 0;
	scratch_path(store, &aside);
	if (make_parents(aside.data, strlen(local_of(store)->folder), e) < 0)
		return -1;
	fault_point("blob.looked");
	if (rename(path.data, aside.data) < 0)
		return errno == ENOENT ? 0 : fail("cannot move", path.data, e);
	return delete_aside(aside.data, path.data, before_us, e);
}

/* A walk through the folder: `path` is the folder's path while it is walked. */
struct listing {
	const char *prefix;
	size_t root;		/* bytes of the path before the key */
	blob_each *each;
	void *context;
	struct buffer path;
};

static int list_folder(struct listing *l, struct err *e);

static int list_entry(struct listing *l, struct err *e)
{
	const char *key = l->path.data + l->root;
	size_t n = strlen(l->prefix), m = strlen(key);
	struct blob_object object = { .key = key };
	struct stat st;

	/* Another process may delete while this one walks. */
	if (strncmp(key, l->prefix, n < m ? n : m) || lstat(l->path.data, &st) < 0)
		return 1;
	if (S_ISDIR(st.st_mode))
		return list_folder(l, e);
	if (m < n)
		return 1;
	object.bytes = st.st_size;
	object.modified_at = modified_at(&st);
	return l->each(l->context, &object, e);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* A file system has files of its own (lost+found), and editors leave theirs. */
static bool is_part(const char *name)
{
	return strcmp(name, ".") && strcmp(name, "..") && blob_key_valid(name);
}

static int list_folder(struct listing *l, struct err *e)
{
	_cleanup_(close_folder) DIR *folder = opendir(l->path.data);
	size_t length = l->path.length;
	struct dirent *d;
	int rc = 1;

	if (!folder)
		return errno == ENOENT ? 1 : fail("cannot read", l->path.data, e);
	while (rc == 1 && (d = readdir(folder))) {
		if (!is_part(d->d_name))
			continue;
		buffer_printf(&l->path, "/%s", d->d_name);
		rc = list_entry(l, e);
		l->path.length = length;
		l->path.data[length] = '\0';
	}
	return rc;
}

static int local_list(struct blob_store *store, const char *prefix, blob_each *each, void *context, struct err *e)
{
	struct listing l = { prefix, strlen(local_of(store)->folder) + 1, each, context, BUFFER_INIT };
	int rc;

	buffer_puts(&l.path, local_of(store)->folder);
	rc = list_folder(&l, e);
	buffer_done(&l.path);
	return rc < 0 ? -1 : 1;
}

static int local_open(const char *name, const char *where, bool try, struct blob_store **ret_store, struct err *e)
{
	struct local_store *s;
	char *folder;

	(void)try;
	if (access(where, R_OK | W_OK | X_OK) < 0)
		return err_internal(e, "%s: cannot use folder %s: %s", name, where, strerror(errno));
	folder = realpath(where, NULL);
	if (!folder)
		return err_internal(e, "%s: %s: %s", name, where, strerror(errno));
	s = xcalloc(1, sizeof(*s));
	s->store.provider = &blob_local;
	s->folder = folder;
	*ret_store = &s->store;
	return 1;
}

static void local_close(struct blob_store *store)
{
	free(local_of(store)->folder);
	free(store);
}

const struct blob_provider blob_local = {
	.scheme = "",
	.open = local_open,
	.close = local_close,
	.writer_open = writer_open,
	.writer_commit = writer_commit,
	.writer_close = writer_close,
	.get = local_get,
	.file = local_file,
	.delete = local_delete,
	.delete_older = local_delete_older,
	.list = local_list,
};
