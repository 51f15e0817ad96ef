/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that a FastCGI responder can do: reads the body, answers "{}", or /hello/NAME with the file of that name
 * in the folder that its argument names, which the web server sends. Its socket is descriptor 0.
 */
#include <fcgiapp.h>
#include <string.h>

static void answer(FCGX_Request *request, const char *folder)
{
	const char *uri = FCGX_GetParam("REQUEST_URI", request->envp), *name = uri ? strrchr(uri, '/') : NULL;

	if (name && name != uri)
		FCGX_FPrintF(request->out, "Status: 200 OK\r\nContent-Type: application/json\r\nX-Sendfile: %s%s\r\n\r\n", folder, name);
	else
		FCGX_PutS("Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", request->out);
}

int main(int argc, char **argv)
{
	static char body[1 << 16];
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		while (FCGX_GetStr(body, sizeof(body), request.in) > 0)
			;
		answer(&request, argc > 1 ? argv[1] : "");
		FCGX_Finish_r(&request);
	}
	return 0;
}
