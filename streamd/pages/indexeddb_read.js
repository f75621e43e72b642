/*
 * indexeddb_read: every IndexedDB database of the frame that this runs in, as one JSON text.
 *
 * Called in an isolated world of the frame: records come out of the structured clone as objects of
 * this world, whose prototypes the page cannot have changed. Each database is read in one read-only
 * transaction. A database that vanishes meanwhile is not created anew.
 *
 * Takes { maxBytes }: the text may not grow past about this many characters; a database that would
 * do that is left out and named in notPortable with reason "too large".
 * Returns (a promise of) { text, databases, records, notPortable, error }:
 *   text         ASCII only (all else is \u escaped), the same for equal contents; "[]" for none.
 *                To be kept as it is and given to indexeddb_write; nobody else needs to read it.
 *   databases, records   how many are in it
 *   notPortable  [{ database, store, key, reason }]; store and key null where they do not apply.
 *                reason: "Blob", "File", "CryptoKey", ... the type that cannot be carried,
 *                "too large", "too deep", "no access: NAME", "storage bucket". key is a
 *                readable form of the record's key. A record that holds such a value anywhere
 *                is left out whole: half a record misleads a site, a missing one it makes again.
 *   error        null, or the name of the exception when IndexedDB may not be used at all
 *
 * The text is a list of databases:
 *   { name, version, stores: [{ name, keyPath, auto, next, indexes: [{ name, keyPath, unique,
 *     multi }], records: [[key, value], ...] }] }
 * next: what the store's key generator would give next (null without one). keyPath: null, a name or
 * ["l",[NAME,...]]. key is null where the key lies inside the value. Names, keys and values are
 * tagged:
 *   "text" · true · false · null · 1.5         themselves (string: well-formed and without NUL)
 *   ["s",HEX]   string as UTF-16 code units     ["u"]  undefined       ["h"]  hole in an array
 *   ["n","NaN"] also Infinity, -Infinity, -0    ["i","12"]  BigInt
 *   ["d",MS]    Date (null: invalid)
 *   ["b",BASE64] or ["b",BASE64,MAX]  ArrayBuffer, with maxByteLength when resizable
 *   ["t",TYPE,BUFFER,OFFSET,LENGTH]  typed array or DataView
 *   ["o",[k,v,k,v,...]]  object
 *   ["a",[v,...],[k,v,...]]  array, and its named properties if it has any
 *   ["m",[k,v,...]]  Map                        ["e",[v,...]]  Set
 *   ["x",SOURCE,FLAGS]  RegExp                  ["p",v]  Boolean, Number, String or BigInt object
 *   ["E",NAME,MESSAGE,STACK,[CAUSE]]  Error; MESSAGE and STACK null, the last item left out, where
 *               it has none
 *   ["r",N]  the Nth object (from 0) begun in this record: shared and cyclic references survive
 */
async ({ maxBytes }) => {
	const notPortable = [];
	let used = 0, records = 0;

	class NotPortable extends Error {}

	const hex = (s) => {
		let out = "";
		for (let i = 0; i < s.length; i++)
			out += s.charCodeAt(i).toString(16).padStart(4, "0");
		return out;
	};
	const string = (s) => s.isWellFormed() && !s.includes("\0") ? s : ["s", hex(s)];
	const base64 = (buffer) => {
		const bytes = new Uint8Array(buffer);
		let out = "";
		for (let i = 0; i < bytes.length; i += 8190)
			out += btoa(String.fromCharCode(...bytes.subarray(i, i + 8190)));
		return out;
	};
	const number = (v) => {
		if (Object.is(v, -0))
			return ["n", "-0"];
		return Number.isFinite(v) ? v : ["n", String(v)];
	};
	const kind = (v) => Object.prototype.toString.call(v).slice(8, -1);

	const encoder = () => {
		const seen = new Map();
		const pairs = (v, keys) => keys.flatMap((k) => [string(k), encode(v[k])]);
		const array = (v) => {
			const items = [];
			for (let i = 0; i < v.length; i++)
				items.push(Object.hasOwn(v, i) ? encode(v[i]) : ["h"]);
			const isIndex = (k) => String(k >>> 0) === k && k >>> 0 < v.length;
			const named = Object.keys(v).filter((k) => !isIndex(k));
			return named.length ? ["a", items, pairs(v, named)] : ["a", items];
		};
		const error = (v) => {
			const out = ["E", v.name];
			out.push(Object.hasOwn(v, "message") ? string(v.message) : null);
			out.push(typeof v.stack === "string" ? string(v.stack) : null);
			if (Object.hasOwn(v, "cause"))
				out.push(encode(v.cause));
			return out;
		};
		const object = (v) => {
			const proto = Object.getPrototypeOf(v);
			if (Array.isArray(v))
				return array(v);
			if (proto === Object.prototype)
				return ["o", pairs(v, Object.keys(v))];
			if (v instanceof Date)
				return ["d", Number.isNaN(v.getTime()) ? null : v.getTime()];
			if (v instanceof Map)
				return ["m", [...v].flatMap(([a, b]) => [encode(a), encode(b)])];
			if (v instanceof Set)
				return ["e", [...v].map(encode)];
			if (v instanceof ArrayBuffer)
				return ["b", base64(v), ...(v.resizable ? [v.maxByteLength] : [])];
			if (ArrayBuffer.isView(v))
				return ["t", kind(v), encode(v.buffer), v.byteOffset,
					v instanceof DataView ? v.byteLength : v.length];
			if (v instanceof RegExp)
				return ["x", string(v.source), v.flags];
			if (v instanceof Error && kind(v) === "Error")
				return error(v);
			if ([Boolean, Number, String, BigInt].some((c) => v instanceof c))
				return ["p", encode(v.valueOf())];
			throw new NotPortable(kind(v));
		};
		const encode = (v) => {
			switch (typeof v) {
			case "string": return string(v);
			case "boolean": return v;
			case "undefined": return ["u"];
			case "number": return number(v);
			case "bigint": return ["i", String(v)];
			}
			if (v === null)
				return null;
			if (seen.has(v))
				return ["r", seen.get(v)];
			seen.set(v, seen.size);
			return object(v);
		};
		return encode;
	};
	const encodeWhole = (v) => encoder()(v);
	const path = (p) => Array.isArray(p) ? ["l", p.map(string)] : p === null ? null : string(p);
	const ascii = (text) => text.replace(/[^\x20-\x7e]/g,
		(c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
	const done = (request) => new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
	const open = (name) => new Promise((resolve, reject) => {
		const request = indexedDB.open(name);
		/* It is gone since it was listed: without the abort we would make an empty one. */
		request.onupgradeneeded = () => request.transaction.abort();
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
	const readable = (key) => {
		const text = JSON.stringify(encodeWhole(key));
		return text.length > 200 ? text.slice(0, 200) + "..." : text;
	};

	/* One record as JSON text, or null after a word about why not. */
	const record = (database, store, key, value) => {
		try {
			const outer = store.keyPath === null ? encodeWhole(key) : null;
			return ascii(JSON.stringify([outer, encodeWhole(value)]));
		} catch (e) {
			const reason = e instanceof NotPortable ? e.message :
				e instanceof RangeError ? "too deep" : "no access: " + e.name;
			notPortable.push({ database: string(database), store: string(store.name),
				key: readable(key), reason });
			return null;
		}
	};
	const spend = (text) => {
		used += text.length + 1;
		if (used > maxBytes)
			throw new NotPortable("too large");
		return text;
	};
	/* 128 at a time: a store may be far larger than what we are ready to hold. */
	const recordsOf = async (database, store) => {
		const out = [];
		let range = null;
		for (;;) {
			const keys = store.getAllKeys(range, 128);
			const values = store.getAll(range, 128);
			const ks = await done(keys), vs = await done(values);
			for (let i = 0; i < ks.length; i++) {
				const text = record(database, store, ks[i], vs[i]);
				if (text !== null)
					out.push(spend(text));
			}
			if (ks.length < 128)
				return out;
			range = IDBKeyRange.lowerBound(ks[ks.length - 1], true);
		}
	};
	/*
	 * Only adding a record tells what a key generator stands at. The transaction is aborted,
	 * which takes back both. USED_UP less one rounds to 2^53, and a record under that key uses
	 * it up again.
	 */
	const USED_UP = 9007199254740994;
	const nextKey = async (db, name) => {
		const transaction = db.transaction(name, "readwrite");
		const over = new Promise((resolve) => { transaction.onabort = resolve; });
		let next;
		try {
			next = await done(transaction.objectStore(name).add({}));
			transaction.abort();
		} catch (e) {
			/* The failed add aborts the transaction by itself. */
			if (e.name !== "ConstraintError")
				throw e;
			next = USED_UP;
		}
		await over;
		return next;
	};
	const storeText = async (db, transaction, name, next) => {
		const store = transaction.objectStore(name);
		const indexes = [...store.indexNames].map((n) => {
			const index = store.index(n);
			return { name: string(n), keyPath: path(index.keyPath),
				unique: index.unique, multi: index.multiEntry };
		});
		const head = JSON.stringify({ name: string(name), keyPath: path(store.keyPath),
			auto: store.autoIncrement, next, indexes });
		const body = await recordsOf(db.name, store);
		const text = ascii(head).slice(0, -1) + ',"records":[' + body.join() + "]}";
		used += head.length;
		return { text, count: body.length };
	};
	const databaseText = async (db) => {
		const names = [...db.objectStoreNames];
		const head = ascii(JSON.stringify({ name: string(db.name), version: db.version }));
		const texts = [], nexts = new Map();
		let count = 0;
		if (names.length) {
			const schema = db.transaction(names);
			for (const n of names.filter((n) => schema.objectStore(n).autoIncrement))
				nexts.set(n, await nextKey(db, n));
			const transaction = db.transaction(names);
			for (const n of names) {
				const s = await storeText(db, transaction, n, nexts.get(n) ?? null);
				texts.push(s.text);
				count += s.count;
			}
		}
		used += head.length;
		records += count;
		return head.slice(0, -1) + ',"stores":[' + texts.join() + "]}";
	};
	const readDatabase = async (name) => {
		const before = used, told = notPortable.length;
		let db = null;
		try {
			db = await open(name);
			db.onversionchange = () => db.close();
			return await databaseText(db);
		} catch (e) {
			if (e.name === "AbortError" && db === null)
				return null;
			used = before;
			notPortable.length = told;
			notPortable.push({ database: string(name), store: null, key: null,
				reason: e instanceof NotPortable ? e.message :
					"no access: " + e.name });
			return null;
		} finally {
			db?.close();
		}
	};

	let list;
	try {
		list = await indexedDB.databases();
	} catch (e) {
		return { text: "[]", databases: 0, records: 0, notPortable, error: String(e.name) };
	}
	const texts = [];
	for (const name of list.map((d) => d.name).sort()) {
		const text = await readDatabase(name);
		if (text !== null)
			texts.push(text);
	}
	try {
		for (const bucket of await navigator.storageBuckets?.keys() ?? [])
			notPortable.push({ database: bucket, store: null, key: null,
				reason: "storage bucket" });
	} catch (e) {
		/* An opaque origin has no buckets either. */
	}
	const text = "[" + texts.join() + "]";
	return { text, databases: texts.length, records, notPortable, error: null };
}
