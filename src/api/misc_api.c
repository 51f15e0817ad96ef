/* SPDX-License-Identifier: Apache-2.0 */
/* Status, capabilities and the registry's truthful empty lists. */
#include "api/route.h"
#include "base/settings.h"
#include "base/version.h"
#include "update/update.h"

static int reply_text(struct http_reply *rp, const char *json)
{
	rp->status = 200;
	buffer_puts(&rp->body, json);
	return 1;
}

struct status_reply {
	const char *status;
};

const struct field status_reply_fields[] = {
	FIELD(status_reply, status, "status", FIELD_TEXT),
	{ 0 },
};

/* 200 as soon as this process serves: what load balancers and installers ask. */
int api_get_status(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_json(rp, status_reply_fields, &(struct status_reply){ "ok" });
}

/* Only what is served. The deployment schema is the highest version that is stored unchanged. */
int api_capabilities(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"capabilities\":["
			      "{\"capability\":\"batch-encrypt\"},"
			      "{\"capability\":\"delta-checkpoint-uploads-v2\",\"version\":2,"
			      "\"configuration\":{\"checkpointCutoffSizeBytes\":" CHECKPOINT_CUTOFF_TEXT "}},"
			      "{\"capability\":\"deployment-schema-version\",\"version\":1,"
			      "\"configuration\":{\"version\":4}},"
			      "{\"capability\":\"stack-policy-packs\",\"version\":1}]}");
}

struct version_reply {
	const char *latest, *oldest, *latest_dev;
};

const struct field version_reply_fields[] = {
	FIELD(version_reply, latest, "latestVersion", FIELD_TEXT, .help = "The asking client's own when none is set."),
	FIELD(version_reply, oldest, "oldestWithoutWarning", FIELD_TEXT),
	FIELD(version_reply, latest_dev, "latestDevVersion", FIELD_TEXT),
	{ 0 },
};

/* Clients write versions with a v, and read them without. */
static const char *plain_version(const char *text)
{
	return text && *text == 'v' ? text + 1 : text;
}

/* Version: what nobody has set is the client's own, so that nothing newer is spoken of than is known. */
int api_version(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *client = request_client(rq), *latest = plain_version(setting("PULUMI_CLI_LATEST_VERSION"));
	const char *oldest = plain_version(setting("PULUMI_CLI_OLDEST_VERSION")),
		   *dev = plain_version(setting("PULUMI_CLI_LATEST_DEV_VERSION"));
	const char *own = version_valid(client) ? plain_version(client) : latest;

	if (!own)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: no version is set here (PULUMI_CLI_LATEST_VERSION), and User-Agent names "
			       "none; "
			       "a command line says pulumi-cli/1 (v3.100.0; linux)");
	latest = latest ? latest : own;
	return reply_json(rp, version_reply_fields,
			  &(struct version_reply){ latest, oldest ? oldest : own, dev ? dev : latest });
}

int api_list_packages(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"packages\":[]}");
}

int api_list_templates(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"templates\":[]}");
}
