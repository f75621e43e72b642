/*
 * Mutations that must turn a test red. Each: what the mutated build does wrong, the file, the changes (text that must
 * stand there exactly once → what stands there instead), and the test that must notice.
 */
const ONLY_COOKIES = (dropped) => [
	["	const struct cdp_arg args[] = { raw_arg(\"cookies\", cookies), { 0 } };\n",
		"	struct cdp_arg kept[512] = { { 0 } };\n	size_t n = 0;\n" +
		"	for (const struct cbor *k = cbor_first(cookies); k && n < 511; k = cbor_next(k))\n" +
		`		if (!(${dropped}))\n			kept[n++] = raw_arg(NULL, k);\n` +
		"	const struct cdp_arg args[] = { { .name = \"cookies\", .kind = CDP_KIND_LIST, .inner = kept }, { 0 } };\n"],
	["		if (!t && !has_expired(w))\n", "		if (!t && !has_expired(w) && !w)\n"],
];
const PROOF = { targets: ["tests/test_proof", "bin/stead-launcher"], command: ["build/plain/tests/test_proof"] };
const NO_COMPARISON = ["		r = compare_storage(t, frame, a, deadline, c);\n", "		r = a ? 0 : compare_storage(t, frame, a, deadline, c);\n"];

export const mutants = [
	{ name: "a session-only cookie is dropped at restore", file: "streamd/restore.c", ...PROOF,
		changes: ONLY_COOKIES("cbor_get_bool(k, \"session\", false) && !cbor_get(k, \"partitionKey\")") },
	{ name: "a cookie that outlives the browser is dropped at restore", file: "streamd/restore.c", ...PROOF,
		changes: ONLY_COOKIES("!cbor_get_bool(k, \"session\", false) && !cbor_get(k, \"partitionKey\")") },
	{ name: "a partitioned cookie is dropped at restore", file: "streamd/restore.c", ...PROOF,
		changes: ONLY_COOKIES("cbor_get(k, \"partitionKey\")") },
	{ name: "partitioned localStorage is dropped at restore", file: "streamd/restore.c", ...PROOF,
		changes: [["	int r = a->local || a->session ? write_storage(t, frame, a, deadline) : 0;\n",
			"	int r = a->depth == 1 ? write_storage(t, frame, a, deadline) : 0;\n"], NO_COMPARISON] },
	{ name: "localStorage is dropped at restore", file: "streamd/restore.c", ...PROOF,
		changes: [["	if (a->local)\n", "	if (a->local && a->depth > 1)\n"], NO_COMPARISON] },
	{ name: "sessionStorage is dropped at restore", file: "streamd/restore.c", ...PROOF,
		changes: [["	if (a->session)\n", "	if (a->session && !t)\n"], NO_COMPARISON] },
	{ name: "IndexedDB is dropped at restore", file: "streamd/restore.c", ...PROOF,
		changes: [["	if (r == 0 && cbor_is(a->databases, CBOR_TEXT))\n		r = write_databases(t, frame, a, deadline);\n", ""],
			["		r = compare_databases(t, frame, a, deadline, c);\n", "		r = 0;\n"],
			["static int write_databases(", "__attribute__((unused)) static int write_databases("],
			["static int compare_databases(", "__attribute__((unused)) static int compare_databases("]] },
	{ name: "what is restored is not read back", file: "streamd/restore.c", ...PROOF,
		changes: [["	if (a->session)\n", "	if (a->session && !t)\n"]] },
	{ name: "\"saved\" is said before the proof", file: "streamd/stream_flow.c",
		changes: [["	stream_set_step(s, STEP_PROVING, \"\", \"\");\n",
			"	stream_set_step(s, STEP_PROVING, \"\", \"\");\n	stream_set_step(s, STEP_SAVED, \"\", \"\");\n"]],
		targets: ["bin/streamd"],
		command: ["node", "--test", "--test-name-pattern=takes the sign-in back", "tests/e2e/site.test.mjs"] },
	{ name: "a session is saved whatever the proof says", file: "streamd/stream_flow.c",
		changes: [["	if (proof.verdict != VERDICT_IN) {\n", "	if (proof.verdict != VERDICT_IN && !proof.why[0]) {\n"]],
		targets: ["bin/streamd"], command: ["node", "demo/main.mjs", "--tour-only"] },
	{ name: "a data key is unwrapped with another master key", file: "sessiond/envelope.c",
		changes: [["	const struct secret *master = masterkeys_get(keys, get_be32(h->key_id));\n	uint8_t aad[WRAP_AAD_LEN];\n" +
			"	struct gcm g = { .nonce = h->wrap_nonce, .aad = aad, .aad_len = sizeof(aad) };\n	int err;\n\n	if (!master)\n		return -ENOKEY;\n",
		"	const struct secret *master = masterkeys_get(keys, masterkeys_current(keys));\n	uint8_t aad[WRAP_AAD_LEN];\n" +
			"	struct gcm g = { .nonce = h->wrap_nonce, .aad = aad, .aad_len = sizeof(aad) };\n	int err;\n\n	if (!master)\n		return -ENOKEY;\n"]],
		targets: ["tests/test_envelope"], command: ["build/plain/tests/test_envelope"] },
	{ name: "a wrong master key is not noticed", file: "sessiond/envelope.c",
		changes: [["	if (err)\n		return err == -EBADMSG ? -EKEYREJECTED : err;\n	*ret = TAKE(data_key);\n", "	*ret = TAKE(data_key);\n"],
			["	if (CRYPTO_memcmp(commitment, h->commitment, sizeof(commitment)) != 0)\n		return -EKEYREJECTED;\n", ""]],
		targets: ["tests/test_envelope"], command: ["build/plain/tests/test_envelope"] },
	{ name: "the vault's lease is not fenced", file: "sessiond/store.c",
		changes: [["	if (p->token && (p->token !=", "	if (!p && (p->token !="]],
		targets: ["tests/test_sessiond_store", "bin/sessiond", "bin/stead-migrate"], command: ["build/plain/tests/test_sessiond_store"] },
	{ name: "a yes to one replacement is a yes to any", file: "sessiond/store.c",
		changes: [["(p->in_place_of && strcmp(p->in_place_of, stored) == 0)", "p->in_place_of"]],
		targets: ["tests/test_sessiond_store", "bin/sessiond", "bin/stead-migrate"], command: ["build/plain/tests/test_sessiond_store"] },
	{ name: "a job's lease is not fenced", file: "botd/queue.c",
		changes: [["#define MINE \"WHERE id = $1 AND attempt = $2 AND state = 'running'\"", "#define MINE \"WHERE id = $1 AND $2 >= 0 AND state = 'running'\""]],
		targets: ["tests/test_queue", "bin/stead-migrate"], command: ["build/plain/tests/test_queue"] },
];
