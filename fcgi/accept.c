/* SPDX-License-Identifier: Apache-2.0 */
#include "accept.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FD 0	/* what FastCGI says */

/* Closing the socket also ends an accept() that is about to begin; other responders keep theirs. */
static void on_stop(int signal_number)
{
	(void)signal_number;
	close(LISTEN_FD);
}

static void stop_signals(sigset_t *ret_signals)
{
	sigemptyset(ret_signals);
	sigaddset(ret_signals, SIGTERM);
	sigaddset(ret_signals, SIGUSR1);
}

int responder_init(FCGX_Request *request)
{
	struct sigaction stop = { .sa_handler = on_stop };
	sigset_t signals;

	stop_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (FCGX_Init() != 0 || FCGX_InitRequest(request, -1, 0) != 0)
		return -1;
	return 1;
}

/* The connection was gone before we had it: wait for the next. */
static int passing(int error)
{
	return error == ECONNABORTED || error == EPROTO;
}

static int next_connection(const sigset_t *signals)
{
	int fd, error;

	do {
		sigprocmask(SIG_UNBLOCK, signals, NULL);
		fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
		error = errno;
		sigprocmask(SIG_BLOCK, signals, NULL);
	} while (fd < 0 && passing(error));
	if (fd < 0 && error != EINTR && error != EBADF)
		fprintf(stderr, "level=error event=accept_failed detail=\"%s\"\n", strerror(error));
	return fd;
}

/* Whether a connection that the web server keeps open has another request, before we are told to stop. */
static int kept_has_more(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	sigset_t none;

	sigemptyset(&none);
	return ppoll(&wait, 1, NULL, &none) == 1;
}

/* libfcgi accepts by itself unless it is given a connection as if it had kept one. */
int responder_accept(FCGX_Request *request)
{
	sigset_t signals;

	stop_signals(&signals);
	do {
		if (request->ipcFd < 0) {
			request->ipcFd = next_connection(&signals);
			request->keepConnection = 1;
		} else if (!kept_has_more(request->ipcFd)) {
			return 0;
		}
		if (request->ipcFd < 0)
			return 0;
	} while (FCGX_Accept_r(request) < 0);
	return 1;
}

/* Whether all that the web server sends of this request has arrived. An empty body may not have been asked for. */
static bool has_arrived(FCGX_Request *request)
{
	const char *length = FCGX_GetParam("CONTENT_LENGTH", request->envp);
	char byte;

	if ((!length || !*length || !strcmp(length, "0")) && !FCGX_GetParam("HTTP_TRANSFER_ENCODING", request->envp))
		(void)!FCGX_GetStr(&byte, 1, request->in);
	return FCGX_HasSeenEOF(request->in);
}

/* To close a connection libfcgi waits until the web server has closed it: only unread input needs that. */
void responder_finish(FCGX_Request *request)
{
	int kept = request->keepConnection;

	if (kept || !has_arrived(request)) {
		FCGX_Finish_r(request);
		return;
	}
	request->keepConnection = 1;
	FCGX_Finish_r(request);
	if (request->ipcFd >= 0)
		close(request->ipcFd);
	request->ipcFd = -1;
}
