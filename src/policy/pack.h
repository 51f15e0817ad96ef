/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy packs: rules that a command line enforces while it updates a stack. A pack has a name in its organization and
 * versions, each with a number, perhaps a tag, the metadata of its policies, and an archive (gzip tar) in the store for them.
 * Publishing has three steps: the version is created and its author gets an address, uploads the archive there, and says
 * that it is complete; until then nobody sees it. What was published never changes, and neither its number nor its tag is
 * used again, even when it was deleted: clients keep what they have downloaded under these. The archive is kept under
 * its own digest, in a place of the store that no address to upload leads to.
 */
#ifndef POLICY_PACK_H
#define POLICY_PACK_H

#include "identity/identity.h"
#include "json/fields.h"

#define PACK_STORE "policypacks"	/* name of the store, and the first part of its keys */
#define PACK_KEY 160			/* bytes of an object's key */

struct pack_version {
	char *id, *pack_id, *name, *display_name, *version_tag, *status;	/* version_tag "": none */
	char *organization;		/* login; in lists of several organizations */
	int64_t version, bytes;
	struct span policies, sha256;	/* policies: JSON list; sha256 data NULL: not published */
	bool applied;			/* some policy group has it */
};

/* What an author says about a version; NULL, data NULL, or count 0: nothing. */
struct pack_wish {
	const char *name, *display_name, *version_tag, *description, *readme, *provider, *repository, *runtime;
	struct span policies;
	struct text_list tags;
	struct text_map metadata;
};

/* 1 when this installation keeps policy packs; 400 that names the settings when not. */
int pack_store_check(const struct app *app, struct err *e) WARN_UNUSED;
/* Where the author uploads, and where the archive is kept then: `sha256` has SHA256_BYTES. */
void pack_upload_key(const char *version_id, char ret_key[PACK_KEY]);
void pack_archive_key(const char *version_id, const unsigned char *sha256, char ret_key[PACK_KEY]);

/*
 * A new version under a new id, which is not published yet; answers its number. 400 when something is not as it must be, 409
 * when the tag was used. An upload with the same tag that was never completed ends. In a transaction.
 */
int pack_create(struct db *db, const struct caller *c, const struct pack_wish *wish, const char *id, int64_t now_us, struct arena *arena,
		int64_t *ret_version, struct err *e) WARN_UNUSED;
/*
 * The archive was uploaded: checks that it is there and whole, keeps it, and publishes the version. 400 when it is not, or when
 * the version was published before; 404, 413. Each statement commits by itself; killed anywhere it can be made again.
 */
int pack_publish(struct app *app, const struct caller *c, const char *name, const char *version, struct arena *arena,
		 struct err *e) WARN_UNUSED;

/* By tag or by number, or "latest" for the newest one that was published; also one that is not published yet. 404. */
int pack_find(struct db *db, const struct caller *c, const char *name, const char *version, struct arena *arena,
	      struct pack_version *ret_version, struct err *e) WARN_UNUSED;
/* The same, but 400 when it is not published. */
int pack_find_published(struct db *db, const struct caller *c, const char *name, const char *version, struct arena *arena,
			struct pack_version *ret_version, struct err *e) WARN_UNUSED;
/* Published versions by name and number; `name` NULL: of all packs. */
int pack_list(struct db *db, const char *organization_id, const char *name, struct arena *arena, struct pack_version **ret_list,
	      size_t *ret_count, struct err *e) WARN_UNUSED;

/* The newest published version of each pack of the caller's organizations, or of the one with that login (NULL: all). */
int pack_list_newest(struct db *db, const struct caller *c, const char *organization, struct arena *arena,
		     struct pack_version **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;

/* All versions: 404 when it has none, 400 when a policy group has one. In a transaction. */
int pack_delete(struct db *db, const struct caller *c, const char *name, struct arena *arena, struct err *e) WARN_UNUSED;
/* 404, 409 when a policy group has it. One that was not published leaves no trace. In a transaction. */
int pack_delete_version(struct db *db, const struct caller *c, const char *name, const char *version, struct arena *arena,
			struct err *e) WARN_UNUSED;

#endif
