/* The functions of JavaScript that run inside pages: each the text of pages/NAME.js, whose head says what it does. */
#pragma once

extern const char page_storage_read[], page_storage_item[], page_storage_write[], page_indexeddb_read[], page_indexeddb_write[];
extern const char page_caches_read[], page_caches_write[];
extern const char page_element_wait[];
extern const char page_element_edit[], page_watch[], page_device[];
