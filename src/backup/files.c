/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/internal.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int fail(const char *what, const char *folder, const char *path, struct err *e)
{
	return err_internal(e, "cannot %s %s%s%s: %s", what, folder, *path ? "/" : "", path, strerror(errno));
}

void digest_hex(struct span data, char ret_hex[2 * SHA256_BYTES + 1])
{
	unsigned char digest[SHA256_BYTES];

	sha256(data, digest);
	hex_encode(digest, sizeof(digest), ret_hex);
}

static int make_one(const char *path, struct err *e)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? fail("make", path, "", e) : 1;
}

int folder_make(const char *root, const char *path, struct err *e)
{
	_cleanup_(buffer_done) struct buffer whole = BUFFER_INIT;

	if (make_one(root, e) < 0)
		return -1;
	buffer_puts(&whole, root);
	while (*path) {
		size_t n = strcspn(path, "/");

		buffer_putc(&whole, '/');
		buffer_append(&whole, path, n);
		if (make_one(whole.data, e) < 0)
			return -1;
		path += n + (path[n] == '/');
	}
	return 1;
}

static int is_entry(const struct dirent *d)
{
	return strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
}

int folder_check_empty(const char *path, struct err *e)
{
	struct dirent **files;
	int n = scandir(path, &files, is_entry, NULL);

	if (n < 0)
		return fail("read", path, "", e);
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	return n ? err_internal(e, "the folder %s is not empty; name a new one for each backup", path) : 1;
}

int folder_flush(const char *path, struct err *e)
{
	_cleanup_(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || syncfs(fd) < 0 ? fail("flush", path, "", e) : 1;
}

static int write_all(int fd, struct span data)
{
	while (data.length) {
		ssize_t n = write(fd, data.data, data.length);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			data = (struct span){ data.data + n, data.length - (size_t)n };
	}
	return 1;
}

int file_write(const char *folder, const char *path, struct span data, struct err *e)
{
	_cleanup_(buffer_done) struct buffer whole = BUFFER_INIT;
	_cleanup_(close_fd) int fd = -1;

	buffer_printf(&whole, "%s/%s", folder, path);
	fd = open(whole.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, data) < 0)
		return fail("write", folder, path, e);
	return 1;
}

int file_read(const char *folder, const char *path, struct buffer *ret_data, struct err *e)
{
	_cleanup_(buffer_done) struct buffer whole = BUFFER_INIT;
	_cleanup_(close_fd) int fd = -1;
	ssize_t n;

	buffer_printf(&whole, "%s/%s", folder, path);
	fd = open(whole.data, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail("read", folder, path, e);
	do {
		n = read(fd, buffer_reserve(ret_data, 1 << 16), 1 << 16);
		if (n < 0 && errno != EINTR)
			return fail("read", folder, path, e);
		ret_data->length += n > 0 ? (size_t)n : 0;
	} while (n != 0);
	return 1;
}
