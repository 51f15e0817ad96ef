/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 1024

/* Whether that user reaches the socket; asked in a process that becomes the user. */
static bool reaches(const struct passwd *user, const char *path)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
			_exit(2);
		_exit(access(path, R_OK | W_OK) != 0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Apache gives up being root, so its user must reach the socket and the folder that it is in. */
static int give_to_apache(const struct serve_options *o, struct err *e)
{
	const struct passwd *user = getpwnam("www-data");

	if (!user)
		return err_set(e, ERR_INTERNAL, "PULUMI_WEB_SERVER: there is no user www-data for Apache; start pulumi-serve "
			       "as an ordinary user");
	if (chown(o->socket, (uid_t)-1, user->pw_gid) < 0 || chown(o->run_dir, (uid_t)-1, user->pw_gid) < 0 ||
	    !reaches(user, o->socket))
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: Apache's user www-data cannot reach %s; use a folder that it "
			       "can enter, such as /run/pulumi-api", o->socket);
	return 1;
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
	if (geteuid() == 0 && o->web == WEB_APACHE && give_to_apache(o, e) < 0) {
		close(fd);
		return -1;
	}
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
