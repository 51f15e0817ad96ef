/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "probe.h"

#define SECOND 1000000LL
#define AT_ONCE_US (2 * SECOND)		/* an end within this time counts as a failed start */
#define BACK_OFF_FIRST_US 50000LL
#define BACK_OFF_MOST_US (5 * SECOND)
#define NUDGE_US 300000LL
#define GRACE_SECONDS 5	/* by then the web server has answered 504 */

const char *child_kind_name(enum child_kind kind)
{
	static const char *const names[] = { "responder", "web", "probe", "job" };

	_Static_assert(sizeof(names) / sizeof(names[0]) == CHILD_KIND_COUNT, "one name for each kind");
	return names[kind];
}

/* The signal after which the process ends what it is doing and takes nothing new. */
static int gentle_signal(const struct child *c, const struct serve_options *o)
{
	if (c->kind != CHILD_WEB)
		return SIGTERM;
	return o->web == WEB_APACHE ? SIGWINCH : SIGINT;
}

static void use_descriptor(int fd, int as)
{
	if (fd < 0 || dup2(fd, as) < 0)
		_exit(127);
}

/* As many descriptors as the system allows: the web server needs two for a request. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The web server parses strangers' bytes: it is not given the settings, among which are passwords. */
static void run_web(const struct child *c, const struct serve_options *o)
{
	char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	char *const lighttpd[] = { "lighttpd", "-D", "-f", (char *)o->config, NULL };
	char *const apache[] = { "apache2", "-D", "FOREGROUND", "-f", (char *)o->config, NULL };

	raise_limits();
	execve(c->program, o->web == WEB_APACHE ? apache : lighttpd, environment);
}

static void run_program(const struct child *c, const struct serve_options *o)
{
	char *const once[] = { (char *)c->program, NULL };
	char *const lasting[] = { (char *)c->program, "--for", "24h", NULL };

	execve(c->program, c->lasting ? lasting : once, o->environment);
}

static _Noreturn void become(const struct child *c, const struct serve_options *o, const struct child_place *place, pid_t parent)
{
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, gentle_signal(c, o));
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	use_descriptor(c->kind == CHILD_RESPONDER ? place->listen_fd : open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	use_descriptor(c->kind == CHILD_RESPONDER && place->starting_fd >= 0 ? place->starting_fd : 2, 1);
	if (c->kind == CHILD_RESPONDER)
		watch_claim(place->watch, place->slot);
	if (c->kind == CHILD_PROBE)
		probe_until_served(o);
	if (c->kind == CHILD_WEB)
		run_web(c, o);
	else
		run_program(c, o);
	serve_log("error", "event=exec_failed program_path=%s detail=\"%m\"", c->program);
	_exit(127);
}

int child_start(struct child *c, const struct serve_options *o, const struct child_place *place, int64_t now_us, struct err *e)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return err_internal(e, "cannot start %s: %s", c->program, strerror(errno));
	if (pid == 0)
		become(c, o, place, parent);
	c->pid = pid;
	c->started_us = now_us;
	serve_log("info", "event=started what=%s pid=%d", child_kind_name(c->kind), (int)pid);
	return 1;
}

void child_check(const struct child *c, const struct serve_options *o, const struct child_place *place)
{
	int64_t working_us = c->kind == CHILD_RESPONDER && c->pid ? watch_working_us(place->watch, place->slot, c->pid) : 0;

	if (working_us <= (o->answer_seconds + GRACE_SECONDS) * SECOND)
		return;
	serve_log("error", "event=hung what=responder pid=%d seconds=%lld detail=\"it works on one request for longer than PULUMI_ANSWER_SECONDS; "
		  "it is killed, and another one started\"", (int)c->pid, (long long)(working_us / SECOND));
	kill(c->pid, SIGKILL);
}

void child_stop(struct child *c, const struct serve_options *o, int64_t now_us, int64_t limit_us)
{
	c->finished = true;
	if (!c->pid || c->kill_us)
		return;
	kill(c->pid, gentle_signal(c, o));
	c->kill_us = now_us + limit_us;
	c->nudge_us = c->kind == CHILD_WEB ? INT64_MAX : now_us + NUDGE_US;
}

void child_restart(const struct child *c)
{
	if (c->pid && !c->kill_us)
		kill(c->pid, SIGTERM);
}

void child_press(struct child *c, int64_t now_us)
{
	if (!c->pid || !c->kill_us)
		return;
	if (now_us >= c->kill_us) {
		serve_log("warning", "event=killed what=%s pid=%d detail=\"it did not end in time\"",
			  child_kind_name(c->kind), (int)c->pid);
		kill(c->pid, SIGKILL);
		c->kill_us = now_us + SECOND;
	} else if (now_us >= c->nudge_us) {
		kill(c->pid, SIGTERM);
		c->nudge_us = now_us + NUDGE_US;
	}
}

static void set_next_start(struct child *c, bool failed, int64_t now_us)
{
	int64_t wait = BACK_OFF_FIRST_US;

	if (c->lasting && !failed) {
		c->due_us = now_us;
		return;
	}
	if (c->period_us) {
		c->due_us = c->started_us + c->period_us > now_us ? c->started_us + c->period_us : now_us;
		return;
	}
	c->failures = failed ? c->failures + 1 : 0;
	for (int i = 1; i < c->failures && wait < BACK_OFF_MOST_US; i++)
		wait *= 2;
	c->due_us = failed ? now_us + (wait < BACK_OFF_MOST_US ? wait : BACK_OFF_MOST_US) : now_us;
}

void child_ended(struct child *c, int status, int64_t now_us)
{
	bool asked = c->kill_us || c->finished, good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool quiet = asked || (good && (c->kind == CHILD_JOB || c->kind == CHILD_PROBE));

	serve_log(quiet ? "info" : "error", "event=ended what=%s pid=%d %s=%d", child_kind_name(c->kind), (int)c->pid,
		  WIFSIGNALED(status) ? "signal" : "code",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	c->pid = 0;
	c->kill_us = c->nudge_us = 0;
	set_next_start(c, now_us - c->started_us < AT_ONCE_US, now_us);
}

int64_t child_next_us(const struct child *c)
{
	if (!c->pid)
		return c->finished ? INT64_MAX : c->due_us;
	if (!c->kill_us)
		return INT64_MAX;
	return c->kill_us < c->nudge_us ? c->kill_us : c->nudge_us;
}
