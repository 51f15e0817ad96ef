/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

/* Apache gives up being root, so its group must reach the socket and the folder that it is in. */
static void give_to_web_server(const struct serve_options *o)
{
	const struct group *g = geteuid() == 0 && o->web == WEB_APACHE ? getgrnam("www-data") : NULL;

	if (g && (chown(o->socket, 0, g->gr_gid) < 0 || chown(o->run_dir, 0, g->gr_gid) < 0))
		fprintf(stderr, "level=warning program=pulumi-serve event=chown_failed detail=\"%m\"\n");
}

int serve_listen(const struct serve_options *o, int *ret_fd, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t before = umask(0117);

	memcpy(address.sun_path, o->socket, strlen(o->socket));
	unlink(o->socket);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0) {
		umask(before);
		if (fd >= 0)
			close(fd);
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: cannot listen on %s: %s", o->socket, strerror(errno));
	}
	umask(before);
	give_to_web_server(o);
	*ret_fd = fd;
	return 1;
}

/* The descriptor stays open, and with it the lock, as long as the process lives. */
int serve_lock(const struct serve_options *o, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *path = arena_printf(&arena, "%s/pulumi-serve.pid", o->run_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char other[24] = "";

	if (fd < 0)
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: cannot open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (read(fd, other, sizeof(other) - 1) < 0)
			other[0] = '\0';
		close(fd);
		return err_set(e, ERR_CONFLICT, "PULUMI_RUN_DIR: pulumi-serve with pid %ld runs in %s already; stop it first",
			       strtol(other, NULL, 10), o->run_dir);
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: cannot write %s: %s", path, strerror(errno));
	return 1;
}
