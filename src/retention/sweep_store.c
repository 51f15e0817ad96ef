/* SPDX-License-Identifier: Apache-2.0 */
#include "retention/sweep_store.h"

#include <string.h>

#include "blob/blob.h"

#define SCRATCH "scratch/"

static int sweep_object(void *context, const struct blob_object *object, struct err *e)
{
	struct store_sweep *s = context;
	bool scratch = !strncmp(object->key, SCRATCH, strlen(SCRATCH));
	int rc = 1;

	if (!s->going(s->context))
		return 0;
	if (object->modified_at < s->before_us)
		rc = scratch ? 0 : s->is_named(s->app, object->key, s->before_us, e);
	if (rc == 0) {
		rc = blob_delete_older(s->store, object->key, s->before_us, e);
		s->swept->objects += rc == 1;
		s->swept->bytes += rc == 1 ? object->bytes : 0;
	} else if (rc == 1) {
		s->swept->kept++;
	}
	return rc < 0 ? -1 : 1;
}

int sweep_store(struct store_sweep *s, const char *prefix, struct err *e)
{
	if (blob_list(s->store, prefix, sweep_object, s, e) < 0)
		return -1;
	return blob_list(s->store, SCRATCH, sweep_object, s, e);
}
