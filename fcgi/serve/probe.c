/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVERY_US 10000
#define PATIENCE_SECONDS 5

/* A wildcard is asked on the loopback interface. */
static int connect_to(const struct serve_options *o)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
	const char *address = !strcmp(o->address, "0.0.0.0") ? "127.0.0.1" : !strcmp(o->address, "::") ? "::1" : o->address;
	bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!is_six)
		inet_pton(AF_INET, address, &four.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if ((is_six ? connect(fd, (struct sockaddr *)&six, sizeof(six)) :
		      connect(fd, (struct sockaddr *)&four, sizeof(four))) == 0)
		return fd;
	close(fd);
	return -1;
}

bool probe_once(const struct serve_options *o)
{
	static const char question[] = "GET /api/status HTTP/1.0\r\nHost: localhost\r\nUser-Agent: pulumi-serve\r\n\r\n";
	char answer[13] = "";
	int fd = connect_to(o);
	bool good;

	if (fd < 0)
		return false;
	if (o->tls.on)
		good = serve_tls_ask(fd, question, answer, sizeof(answer)) && !strcmp(answer + 8, " 200");
	else
		good = send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0 &&
		       recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) > 0 && !strcmp(answer + 8, " 200");
	close(fd);
	return good;
}

_Noreturn void probe_until_served(const struct serve_options *o)
{
	while (!probe_once(o))
		usleep(EVERY_US);
	_exit(0);
}
