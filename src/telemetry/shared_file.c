/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

/* Its size is compared first: to read behind the end of a file kills the process. */
static void *map_good(int fd, const char mark[SHARED_MARK], size_t size)
{
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size != (off_t)size)
		return NULL;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (memcmp(map, mark, SHARED_MARK)) {
		munmap(map, size);
		return NULL;
	}
	return map;
}

void *shared_file_open(const char *path, const char mark[SHARED_MARK], size_t size, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	void *map = map_good(fd, mark, size);

	if (map)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return map;
}

void shared_file_close(void *map, size_t size, int fd)
{
	munmap(map, size);
	close(fd);
}

/* All blocks are taken now: a page that the disk has no room for would kill whoever touches it. */
static int fill(int fd, const char *path, struct span head, size_t size, struct err *e)
{
	int rc = posix_fallocate(fd, 0, (off_t)size);

	if (rc)
		return err_internal(e, "%s: cannot take %zu bytes: %s", path, size, strerror(rc));
	if (pwrite(fd, head.data, head.length, 0) != (ssize_t)head.length)
		return err_internal(e, "%s: %s", path, strerror(errno));
	return 1;
}

int shared_file_make(const char *path, struct span head, size_t size, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *fresh = arena_printf(&arena, "%s.new", path);
	int fd, rc;

	unlink(fresh);
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_internal(e, "%s: %s", fresh, strerror(errno));
	rc = fill(fd, fresh, head, size, e);
	close(fd);
	if (rc == 1 && rename(fresh, path) < 0)
		rc = err_internal(e, "%s: %s", path, strerror(errno));
	if (rc < 0)
		unlink(fresh);
	return rc;
}
