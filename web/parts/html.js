import { h } from "preact";
import htm from "htm";

/*
 * Markup in template strings; made of elements and text only, so it needs no exception from trusted
 * types.
 */
export const html = htm.bind(h);
