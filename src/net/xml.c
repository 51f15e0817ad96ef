/* SPDX-License-Identifier: Apache-2.0 */
#include "net/xml.h"

#include <expat.h>

struct walk {
	XML_Parser parser;
	xml_element *each;
	void *context;
	struct buffer text;
	struct err *e;
	bool refused, failed;
};

static void XMLCALL on_start(void *context, const char *name, const char **attributes)
{
	(void)name, (void)attributes;
	buffer_clear(&((struct walk *)context)->text);
}

static void XMLCALL on_text(void *context, const char *text, int length)
{
	buffer_append(&((struct walk *)context)->text, text, (size_t)length);
}

static void XMLCALL on_end(void *context, const char *name)
{
	struct walk *w = context;

	if (!w->failed && w->each(w->context, name, w->text.data ? w->text.data : "", w->e) < 0) {
		w->failed = true;
		XML_StopParser(w->parser, XML_FALSE);
	}
	buffer_clear(&w->text);
}

/* Entities of its own could make a document grow without end. */
static void XMLCALL on_dtd(void *context, const char *name, const char *system, const char *public, int internal)
{
	struct walk *w = context;

	(void)name, (void)system, (void)public, (void)internal;
	w->refused = true;
	XML_StopParser(w->parser, XML_FALSE);
}

int xml_walk(struct span text, xml_element *each, void *context, struct err *e)
{
	struct walk w = { .parser = XML_ParserCreate("UTF-8"), .each = each, .context = context, .e = e };
	bool parsed;

	XML_SetUserData(w.parser, &w);
	XML_SetElementHandler(w.parser, on_start, on_end);
	XML_SetCharacterDataHandler(w.parser, on_text);
	XML_SetStartDoctypeDeclHandler(w.parser, on_dtd);
	parsed = XML_Parse(w.parser, text.data ? text.data : "", (int)text.length, XML_TRUE) == XML_STATUS_OK;
	XML_ParserFree(w.parser);
	buffer_done(&w.text);
	return w.failed ? -1 : parsed && !w.refused;
}

struct finding {
	const char *name, *text;
	struct arena *arena;
};

static int compare(void *context, const char *name, const char *text, struct err *e)
{
	struct finding *f = context;

	(void)e;
	if (!f->text && !strcmp(name, f->name))
		f->text = arena_strdup(f->arena, text);
	return 1;
}

const char *xml_text(struct span text, const char *name, struct arena *arena)
{
	struct finding f = { name, NULL, arena };
	struct err ignored = { 0 };

	return xml_walk(text, compare, &f, &ignored) == 1 ? f.text : NULL;
}
