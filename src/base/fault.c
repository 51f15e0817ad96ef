/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#ifdef FAULT_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define WORDS 160

struct wish {
	char name[128], action[16];
	int count;
};

static bool parse(const char *words, struct wish *w)
{
	w->action[0] = '\0';
	return sscanf(words, "%127[^:]:%d:%15s", w->name, &w->count, w->action) >= 2;
}

static bool concerns(const struct wish *w, const char *name)
{
	return !strcmp(w->name, "*") || !strcmp(w->name, name);
}

static void happen(const struct wish *w)
{
	kill(getpid(), strcmp(w->action, "stop") ? SIGKILL : SIGSTOP);
}

static void trace(const char *path, const char *name)
{
	char line[WORDS], file[4096];
	int fd, n = snprintf(line, sizeof(line), "%s\n", name);

	snprintf(file, sizeof(file), "%s.trace", path);
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

/* One pass less in the shared file; the process that takes the last one removes it first. */
static bool count_down(int fd, const char *path, const struct wish *w)
{
	char words[WORDS];
	int n;

	if (w->count <= 1) {
		unlink(path);
		return true;
	}
	n = snprintf(words, sizeof(words), "%s:%d:%s", w->name, w->count - 1, w->action[0] ? w->action : "kill");
	if (ftruncate(fd, 0) < 0 || pwrite(fd, words, (size_t)n, 0) != n)
		abort();
	return false;
}

static void shared(const char *path, const char *name)
{
	char words[WORDS] = "";
	struct wish w;
	bool now = false;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	flock(fd, LOCK_EX);
	if (read(fd, words, sizeof(words) - 1) > 0 && !strncmp(words, "trace", 5))
		trace(path, name);
	else if (parse(words, &w) && concerns(&w, name) && access(path, F_OK) == 0)
		now = count_down(fd, path, &w);
	close(fd);
	if (now)
		happen(&w);
}

void fault_point(const char *name)
{
	static int passes;
	const char *words = getenv("PULUMI_FAULT_POINT");
	struct wish w;

	if (!words || !*words)
		return;
	if (*words == '/')
		shared(words, name);
	else if (parse(words, &w) && concerns(&w, name) && ++passes == w.count)
		happen(&w);
}

#endif
