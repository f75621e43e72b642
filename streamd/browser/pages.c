#include "streamd/browser/pages.h"

/* Taken in as they are, so that they can be read, linted and tried as JavaScript. */
#define PAGE(name_)                                                                                \
	__asm__(".pushsection .rodata\n"                                                           \
		".global page_" #name_ "\n"                                                        \
		"page_" #name_ ":\n"                                                               \
		".incbin \"streamd/browser/pages/" #name_ ".js\"\n"                                        \
		".byte 0\n"                                                                        \
		".popsection\n");

PAGE(storage_read)
PAGE(storage_item)
PAGE(storage_write)
PAGE(indexeddb_read)
PAGE(indexeddb_write)
PAGE(caches_read)
PAGE(caches_write)
PAGE(element_wait)
PAGE(element_edit)
PAGE(watch)
PAGE(device)
