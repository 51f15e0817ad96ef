/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a FastCGI responder can do: reads the body, answers "{}". Its socket is descriptor 0. */
#include <fcgiapp.h>

int main(void)
{
	static char body[1 << 16];
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		while (FCGX_GetStr(body, sizeof(body), request.in) > 0)
			;
		FCGX_PutS("Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", request.out);
		FCGX_Finish_r(&request);
	}
	return 0;
}
