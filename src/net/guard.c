/* SPDX-License-Identifier: Apache-2.0 */
#include "net/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define IPV4_BITS 96	/* before an IPv4 address in its IPv6 form */

/* Where nobody on the internet is: the IANA registries of special-purpose addresses. IPv4 is looked up in its IPv6 form. */
static const char *const special_ipv4[] = { "0.0.0.0/8",      "10.0.0.0/8",	"100.64.0.0/10", "127.0.0.0/8",
					    "169.254.0.0/16", "172.16.0.0/12",	"192.0.0.0/24",	 "192.0.2.0/24",
					    "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
					    "203.0.113.0/24", "224.0.0.0/4",	"240.0.0.0/4" };
/* Tunnels hide an IPv4 address in an IPv6 one. */
static const char *const special_ipv6[] = { "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32",
					    "2002::/16", "3fff::/20" };

static bool parse_address(const char *text, unsigned char ret_address[16], unsigned *ret_most)
{
	static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };

	*ret_most = 128;
	if (inet_pton(AF_INET6, text, ret_address) == 1)
		return true;
	*ret_most = 32;
	memcpy(ret_address, prefix, sizeof(prefix));
	return inet_pton(AF_INET, text, ret_address + sizeof(prefix)) == 1;
}

/* The bits behind the prefix must be nought: 10.0.0.1/8 is a mistake. */
static bool has_host_bits(const struct network *n)
{
	for (unsigned bit = n->bits; bit < 128; bit++)
		if (n->address[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

static bool parse_network(struct span text, struct network *ret_network)
{
	char copy[64], *slash, *end = NULL;
	unsigned most;
	long bits = -1;

	if (text.length >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (!parse_address(copy, ret_network->address, &most))
		return false;
	if (slash)
		bits = strtol(slash, &end, 10);
	if (slash && (!*slash || strspn(slash, "0123456789") != strlen(slash) || bits > (long)most))
		return false;
	ret_network->bits = 128 - most + (slash ? (unsigned)bits : most);
	return !has_host_bits(ret_network);
}

static bool contains(const struct network *n, const unsigned char address[16])
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	return !memcmp(n->address, address, whole) && (!rest || !((n->address[whole] ^ address[whole]) & mask));
}

static bool in_any(const char *const *list, size_t count, const unsigned char address[16])
{
	struct network n;

	for (size_t i = 0; i < count; i++)
		if (parse_network(span_of(list[i]), &n) && contains(&n, address))
			return true;
	return false;
}

static bool is_public(const unsigned char address[16])
{
	static const unsigned char translated[12] = { 0x00, 0x64, 0xff, 0x9b };	/* NAT64, RFC 6052 */
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned char inner[16];

	if (!memcmp(address, translated, sizeof(translated)) || !memcmp(address, mapped, sizeof(mapped))) {
		memcpy(inner, mapped, sizeof(mapped));
		memcpy(inner + 12, address + 12, 4);
		return !in_any(special_ipv4, sizeof(special_ipv4) / sizeof(special_ipv4[0]), inner);
	}
	/* Global unicast is 2000::/3, everything else is something special. */
	return (address[0] & 0xe0) == 0x20 &&
	       !in_any(special_ipv6, sizeof(special_ipv6) / sizeof(special_ipv6[0]), address);
}

static bool allows(const struct guard *guard, const unsigned char address[16])
{
	if (is_public(address))
		return true;
	for (size_t i = 0; guard && i < guard->count; i++)
		if (contains(&guard->networks[i], address))
			return true;
	return false;
}

bool guard_allows(const struct guard *guard, const struct sockaddr *address)
{
	unsigned char bytes[16] = { [10] = 0xff, [11] = 0xff };

	if (address->sa_family == AF_INET)
		memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	else if (address->sa_family == AF_INET6)
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	else
		return false;
	return allows(guard, bytes);
}

bool guard_allows_host(const struct guard *guard, const char *host)
{
	unsigned char address[16];
	char inside[64];
	unsigned most;
	size_t n = strlen(host);

	if (*host == '[' && n > 2 && n < sizeof(inside) && host[n - 1] == ']') {
		memcpy(inside, host + 1, n - 2);
		inside[n - 2] = '\0';
		/* A zone says which wire, not which address. */
		inside[strcspn(inside, "%")] = '\0';
		return parse_address(inside, address, &most) && allows(guard, address);
	}
	return !parse_address(host, address, &most) || allows(guard, address);
}

int guard_read(const char *setting, const char *text, struct arena *arena, struct guard *ret_guard, struct err *e)
{
	*ret_guard = (struct guard){ 0 };
	if (!text)
		return 1;
	ret_guard->networks = arena_alloc(arena, (strlen(text) / 2 + 1) * sizeof(*ret_guard->networks));
	for (text += strspn(text, " ,"); *text; text += strspn(text, " ,")) {
		size_t n = strcspn(text, " ,");

		if (!parse_network((struct span){ text, n }, &ret_guard->networks[ret_guard->count++]))
			return err_internal(e,
					    "%s: '%.*s' is no network; write it like 10.0.0.0/8, 192.168.1.7 or "
					    "fd00::/8",
					    setting, (int)(n < 60 ? n : 60), text);
		text += n;
	}
	return 1;
}
