/* SPDX-License-Identifier: Apache-2.0 */
/* credential_process: a command that prints keys, in a process group of its own that is killed when its time is up. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/aws_keys.h"

#define TIME_MS 20000
#define ANSWER_LIMIT 65536

extern char **environ;

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int start(const char *command, int out, pid_t *ret_pid)
{
	char *const arguments[] = { "sh", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attributes, 0);
	rc = posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* To the end of what it prints: false when the time is up, or when it prints too much. */
static bool read_all(int fd, int64_t until_ms, struct buffer *ret_text)
{
	while (ret_text->length < ANSWER_LIMIT) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int64_t left_ms = until_ms - clock_ms();
		ssize_t n;

		if (left_ms <= 0)
			return false;
		if (poll(&wait, 1, (int)left_ms) <= 0)
			continue;
		n = read(fd, buffer_reserve(ret_text, 4096), 4096);
		if (n == 0)
			return true;
		if (n > 0)
			ret_text->length += (size_t)n;
		else if (errno != EINTR)
			return false;
	}
	return false;
}

/* It may go on after it has closed its output. */
static bool ended(pid_t pid, int64_t until_ms, int *ret_status)
{
	for (;;) {
		pid_t rc = waitpid(pid, ret_status, WNOHANG);

		if (rc == pid)
			return true;
		if ((rc < 0 && errno != EINTR) || clock_ms() >= until_ms)
			return false;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
}

static void kill_group(pid_t pid)
{
	int status;

	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* 1; 0 when it had to be killed. */
static int run(pid_t pid, int fd, struct buffer *ret_text, int *ret_status)
{
	int64_t until_ms = clock_ms() + TIME_MS;

	if (read_all(fd, until_ms, ret_text) && ended(pid, until_ms, ret_status))
		return 1;
	kill_group(pid);
	return 0;
}

/* Its arguments may be secret: messages name the program only. */
static int failed(const char *command, const char *why, struct err *e)
{
	return err_unavailable(e, "credential_process '%.*s' %s", (int)strcspn(command, " \t"), command, why);
}

int aws_keys_of_command(const char *command, struct aws_keys *k, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	int ends[2], status = 0, rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return failed(command, strerror(errno), e);
	rc = start(command, ends[1], &pid);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		return failed(command, strerror(rc), e);
	}
	rc = run(pid, ends[0], &text, &status);
	close(ends[0]);
	if (!rc)
		return failed(command, "did not end within 20 seconds with an answer of at most 64 KiB, and was killed", e);
	if (status)
		return failed(command, "failed", e);
	return aws_keys_of_json(buffer_span(&text), k) ? 1 : failed(command, "printed no AccessKeyId and SecretAccessKey as JSON", e);
}
