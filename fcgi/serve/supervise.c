/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "jobs.h"
#include "log.h"
#include "socket.h"
#include "telemetry.h"
#include "webconfig.h"

#define SECOND 1000000LL
#define SETTLE_US (SECOND / 2)		/* new responders that cannot serve mostly end within this */
#define LOOK_US (SECOND / 10)
#define START_LIMIT_US (60 * SECOND)	/* those that cannot serve by then never will */
#define RESPONDER_LIMIT_US (10 * SECOND)
#define JOB_LIMIT_US (10 * SECOND)
#define CHECKS 10	/* of the responders, in the time that one may need for an answer */

enum phase { PHASE_RUNNING, PHASE_DRAINING, PHASE_ENDING };

struct supervisor {
	struct serve_options *o;
	struct arena *arena;
	struct child *children;
	size_t count;
	struct watch *watch;	/* NULL: it could not be made */
	int listen_fd;
	enum phase phase;
	bool ready;
	int64_t settle_us;	/* of a reload: then it is looked whether the old responders may end; 0 when none is under way */
	int64_t give_up_us;
	bool start_failed;	/* of a reload: a new responder has ended */
	int starting_fd, started_fd;	/* of a reload: a pipe, whose end comes when no new responder is starting any more; or -1 */
};

/* Takes over the slot of a child that is gone for good. */
static void add_child(void *context, const struct child *c)
{
	struct supervisor *s = context;

	for (size_t i = 0; i < s->count; i++)
		if (s->children[i].finished && !s->children[i].pid) {
			s->children[i] = *c;
			return;
		}
	s->children = xrealloc(s->children, (s->count + 1) * sizeof(*c));
	s->children[s->count++] = *c;
}

static void add_responders(struct supervisor *s, int64_t now_us)
{
	struct child c = { .kind = CHILD_RESPONDER, .due_us = now_us,
			   .program = arena_printf(s->arena, "%s/pulumi-api.fcgi", s->o->libexec) };

	for (int i = 0; i < s->o->responders; i++)
		add_child(s, &c);
}

static bool running(const struct supervisor *s, enum child_kind kind)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->children[i].pid && s->children[i].kind == kind)
			return true;
	return false;
}

static void stop_kind(struct supervisor *s, enum child_kind kind, int64_t now_us, int64_t limit_us)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->children[i].kind == kind)
			child_stop(&s->children[i], s->o, now_us, limit_us);
}

static void begin_stop(struct supervisor *s, int64_t now_us)
{
	if (s->phase != PHASE_RUNNING) {
		serve_log("warning", "event=hurry detail=\"asked to stop again\"");
		for (size_t i = 0; i < s->count; i++)
			if (s->children[i].kill_us)
				s->children[i].kill_us = now_us;
		return;
	}
	serve_log("info", "event=stopping");
	serve_notify("STOPPING=1");
	s->phase = PHASE_DRAINING;
	stop_kind(s, CHILD_PROBE, now_us, SECOND);
	stop_kind(s, CHILD_JOB, now_us, JOB_LIMIT_US);
	stop_kind(s, CHILD_WEB, now_us, s->ready ? (s->o->stop_seconds + 2) * SECOND : SECOND);
}

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void open_pipe(struct supervisor *s)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	s->started_fd = ends[0];
	s->starting_fd = ends[1];
}

static void begin_reload(struct supervisor *s, int64_t now_us)
{
	struct err e = { 0 };

	if (s->phase != PHASE_RUNNING || s->settle_us)
		return;
	serve_log("info", "event=reloading");
	if (serve_options_reread(s->arena, s->o, s->o, &e) < 0) {
		serve_log("error", "event=reload_failed detail=\"%s\"", e.detail[0] ? e.detail : e.message);
		return;
	}
	serve_notify_reloading();
	serve_telemetry(s->o, s->arena);
	for (size_t i = 0; i < s->count; i++)
		if (s->children[i].lasting)
			child_restart(&s->children[i]);
	for (size_t i = 0; i < s->count; i++)
		s->children[i].old = s->children[i].kind == CHILD_RESPONDER;
	if (s->o->mode != MODE_JOBS)
		add_responders(s, now_us);
	s->settle_us = now_us + SETTLE_US;
	s->give_up_us = now_us + START_LIMIT_US;
	s->start_failed = false;
	open_pipe(s);
}

/* Whether every new responder has lived since it was first started. */
static bool new_ones_live(const struct supervisor *s)
{
	if (s->start_failed)
		return false;
	for (size_t i = 0; i < s->count; i++) {
		const struct child *c = &s->children[i];

		if (c->kind == CHILD_RESPONDER && !c->old && !c->finished && (!c->pid || c->failures))
			return false;
	}
	return true;
}

/* Only when its configuration changed: a web server that re-reads closes the connections that clients keep. */
static void reload_web(struct supervisor *s)
{
	struct err e = { 0 };
	int rc = s->o->web_program ? serve_config_write(s->o, &e) : 0;

	if (rc < 0)
		serve_log("error", "event=reload_failed detail=\"%s\"", e.message);
	if (rc <= 0)
		return;
	for (size_t i = 0; i < s->count; i++)
		if (s->children[i].kind == CHILD_WEB && s->children[i].pid)
			kill(s->children[i].pid, SIGUSR1);
}

/* Whether to look again before it is decided what becomes of a reload. */
static bool still_starting(struct supervisor *s, int64_t now_us)
{
	struct pollfd end = { .fd = s->started_fd, .events = POLLIN };

	if (s->started_fd < 0 || now_us >= s->give_up_us || !new_ones_live(s))
		return false;
	/* One that has just ended gave up its descriptor too: it is reaped before the next look. */
	if (poll(&end, 1, 0) == 1)
		close_descriptor(&s->started_fd);
	s->settle_us = now_us + LOOK_US;
	return true;
}

static void end_reload(struct supervisor *s, int64_t now_us)
{
	bool good = new_ones_live(s) && s->started_fd < 0;

	s->settle_us = 0;
	close_descriptor(&s->started_fd);
	for (size_t i = 0; i < s->count; i++) {
		struct child *c = &s->children[i];

		if (c->kind == CHILD_RESPONDER && c->old == good)
			child_stop(c, s->o, now_us, s->o->stop_seconds * SECOND);
		c->old = false;
	}
	if (good)
		reload_web(s);
	serve_log(good ? "info" : "error", good ? "event=reloaded" :
		  "event=reload_failed detail=\"the new responders did not come up; the old ones stay\"");
	serve_notify("READY=1");
}

static void on_ready(struct supervisor *s)
{
	s->ready = true;
	serve_log("info", "event=ready mode=%s responders=%d address=%s port=%d",
		  s->o->mode == MODE_FULL ? "FULL" : s->o->mode == MODE_API ? "API" : "JOBS",
		  s->o->mode == MODE_JOBS ? 0 : s->o->responders, s->o->address ? s->o->address : "-", s->o->port);
	serve_notify("READY=1");
}

static int on_end(struct supervisor *s, struct child *c, int status, int64_t now_us, struct err *e)
{
	if (c->kind == CHILD_RESPONDER && !c->old && !c->finished && s->settle_us)
		s->start_failed = true;
	child_ended(c, status, now_us);
	if (c->kind == CHILD_PROBE) {
		c->finished = true;
		if (s->phase == PHASE_RUNNING)
			on_ready(s);
	}
	if (c->kind == CHILD_WEB && !s->ready && s->phase == PHASE_RUNNING) {
		begin_stop(s, now_us);
		return err_set(e, ERR_INTERNAL, "%s ended before it served; its own lines above say why", s->o->web_program);
	}
	return 1;
}

static int reap(struct supervisor *s, int64_t now_us, struct err *e)
{
	int status, rc = 1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		/* Apache's workers outlive their parent, and would keep the port. */
		kill(-pid, SIGKILL);
		for (size_t i = 0; i < s->count; i++)
			if (s->children[i].pid == pid && on_end(s, &s->children[i], status, now_us, e) < 0)
				rc = -1;
	}
	return rc;
}

static void next_phase(struct supervisor *s, int64_t now_us)
{
	if (s->settle_us && now_us >= s->settle_us && s->phase == PHASE_RUNNING && !still_starting(s, now_us))
		end_reload(s, now_us);
	if (s->phase == PHASE_DRAINING && !running(s, CHILD_WEB)) {
		s->phase = PHASE_ENDING;
		stop_kind(s, CHILD_RESPONDER, now_us, RESPONDER_LIMIT_US);
	}
}

/* Starts and presses whoever is due. */
static void attend(struct supervisor *s, int64_t now_us)
{
	for (size_t i = 0; i < s->count; i++) {
		struct child *c = &s->children[i];
		struct err e = { 0 };
		struct child_place place = { s->listen_fd, s->starting_fd, s->watch, i };

		child_press(c, now_us);
		child_check(c, s->o, &place);
		if (c->pid || c->finished || c->due_us > now_us || (s->phase != PHASE_RUNNING))
			continue;
		if (child_start(c, s->o, &place, now_us, &e) < 0) {
			serve_log("error", "event=start_failed detail=\"%s\"", e.detail);
			c->due_us = now_us + SECOND;
		}
	}
	close_descriptor(&s->starting_fd);
}

static bool all_gone(const struct supervisor *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->children[i].pid)
			return false;
	return s->phase == PHASE_ENDING;
}

static struct timespec time_to_next(const struct supervisor *s, int64_t now_us)
{
	int64_t check_us = now_us + s->o->answer_seconds * SECOND / CHECKS;
	int64_t next = s->settle_us && s->settle_us < check_us ? s->settle_us : check_us;

	for (size_t i = 0; i < s->count; i++) {
		bool held = !s->children[i].pid && s->phase != PHASE_RUNNING;
		int64_t at = held ? INT64_MAX : child_next_us(&s->children[i]);

		next = at < next ? at : next;
	}
	next = next > now_us ? next - now_us : 0;
	return (struct timespec){ .tv_sec = next / SECOND, .tv_nsec = next % SECOND * 1000 };
}

static void on_signal(struct supervisor *s, int number, int64_t now_us)
{
	if (number == SIGTERM || number == SIGINT)
		begin_stop(s, now_us);
	if (number == SIGHUP)
		begin_reload(s, now_us);
}

static int loop(struct supervisor *s, const sigset_t *signals, struct err *e)
{
	int rc = 1, number;

	for (;;) {
		int64_t now_us = serve_now_us();
		struct timespec wait;

		if (reap(s, now_us, e) < 0)
			rc = -1;
		next_phase(s, now_us);
		if (all_gone(s))
			return rc;
		attend(s, now_us);
		wait = time_to_next(s, now_us);
		number = sigtimedwait(signals, NULL, &wait);
		on_signal(s, number, serve_now_us());
	}
}

static void add_all(struct supervisor *s)
{
	int64_t now_us = serve_now_us();

	if (s->o->mode != MODE_JOBS)
		add_responders(s, now_us);
	if (s->o->web_program) {
		add_child(s, &(struct child){ .kind = CHILD_WEB, .program = s->o->web_program, .due_us = now_us });
		add_child(s, &(struct child){ .kind = CHILD_PROBE, .program = "probe", .due_us = now_us });
	}
	jobs_each(s->o, s->arena, now_us, add_child, s);
}

static struct watch *start_watch(const struct serve_options *o)
{
	struct err e = { 0 };

	if (o->mode != MODE_JOBS && watch_make(o->run_dir, &e) < 0)
		serve_log("warning", "event=not_watched detail=\"%s\"", e.detail);
	return watch_open(o->run_dir);
}

int supervise(struct serve_options *o, struct arena *arena, struct err *e)
{
	struct supervisor s = { .o = o, .arena = arena, .listen_fd = -1, .starting_fd = -1, .started_fd = -1 };
	sigset_t signals;
	int rc;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if ((o->mode != MODE_JOBS && serve_listen(o, &s.listen_fd, e) < 0) ||
	    (o->web_program && serve_config_write(o, e) < 0))
		return -1;
	s.watch = start_watch(o);
	add_all(&s);
	if (!o->web_program)
		on_ready(&s);
	rc = loop(&s, &signals, e);
	serve_log("info", "event=stopped");
	if (s.listen_fd >= 0) {
		unlink(o->socket);
		close(s.listen_fd);
	}
	free(s.children);
	watch_close(s.watch);
	return rc;
}
