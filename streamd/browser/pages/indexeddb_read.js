/*
 * indexeddb_read: every IndexedDB database of the frame that this runs in, as one JSON text.
 *
 * Called in an isolated world of the frame: records come out of the structured clone as objects of
 * this world, whose prototypes the page cannot have changed. Each database is read in one read-only
 * transaction. A database that vanishes meanwhile is not created anew. One that a page holds (an
 * upgrade that is blocked, a transaction that does not end) would keep us waiting for ever, so
 * each answer is waited for two seconds, and all of those that are late for six.
 *
 * Takes { maxBytes, before }: the text may not grow past about this many characters; a database that
 * would do that is left out and named in notPortable with reason "too large". before: a text from an
 * earlier time (absent: none); of a database that is held, what stands there is taken.
 * Returns (a promise of) { text, databases, records, notPortable, error }:
 *   text         ASCII only (all else is \u escaped), the same for equal contents; "[]" for none.
 *                To be kept as it is and given to indexeddb_write; nobody else needs to read it.
 *   databases, records   how many are in it
 *   notPortable  [{ database, store, key, reason }]; store and key null where they do not apply.
 *                reason: "CryptoKey" (one that is not extractable), ... the type that cannot be
 *                carried, "too large", "too deep", "held", "no access: NAME", "storage bucket". key is a
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
 *   ["B",TYPE,BASE64]  Blob                     ["F",TYPE,BASE64,NAME,MS]  File, with lastModified
 *   ["K",JWK,{name,hash,namedCurve},USAGES]  CryptoKey, extractable
 *   ["r",N]  the Nth object (from 0) begun in this record: shared and cyclic references survive
 */
async ({ maxBytes, before }) => {
	const notPortable = [];
	const WAIT_MS = 2000, MOST_WAIT_MS = 6000;
	let used = 0, records = 0, patience = MOST_WAIT_MS;

	class NotPortable extends Error {}
	/* A record holds something that only a wait tells, for which a transaction does not stay open. */
	class Slow extends Error {}

	const soon = async (promise) => {
		const ms = Math.min(WAIT_MS, patience);
		let timer;
		const late = new Promise((resolve, reject) => {
			timer = setTimeout(() => {
				patience -= ms;
				reject(new NotPortable("held"));
			}, ms);
		});
		try {
			return await Promise.race([promise, late]);
		} finally {
			clearTimeout(timer);
		}
	};

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

	/* found: what the slow parts of the record are; gather: a list that they are put into instead. */
	const encoder = (found, gather) => {
		const seen = new Map();
		const slow = (v) => {
			if (v.extractable === false)
				throw new NotPortable("CryptoKey");
			if (gather)
				return gather.push(v), null;
			if (!found?.has(v))
				throw new Slow();
			return found.get(v);
		};
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
			if (v instanceof Blob || self.CryptoKey && v instanceof CryptoKey)
				return slow(v);
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
	const encodeWhole = (v, found, gather) => encoder(found, gather)(v);
	const slowText = async (v) => {
		if (v instanceof Blob) {
			if (used + v.size * 4 / 3 > maxBytes)
				throw new NotPortable("too large");
			const data = base64(await soon(v.arrayBuffer()));
			return v instanceof File ? ["F", string(v.type), data, string(v.name), v.lastModified] :
				["B", string(v.type), data];
		}
		const { name, hash, namedCurve } = v.algorithm;
		return ["K", await soon(crypto.subtle.exportKey("jwk", v)), { name, hash: hash?.name, namedCurve }, v.usages];
	};
	const path = (p) => Array.isArray(p) ? ["l", p.map(string)] : p === null ? null : string(p);
	const ascii = (text) => text.replace(/[^\x20-\x7e]/g,
		(c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
	const done = (request) => soon(new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	}));
	const open = async (name) => {
		const request = indexedDB.open(name);
		/* It is gone since it was listed: without the abort we would make an empty one. */
		request.onupgradeneeded = () => request.transaction.abort();
		try {
			return await done(request);
		} catch (e) {
			request.onsuccess = () => request.result.close(); /* nobody waits for it any more */
			throw e;
		}
	};
	const readable = (key) => {
		const text = JSON.stringify(encodeWhole(key));
		return text.length > 200 ? text.slice(0, 200) + "..." : text;
	};

	const leave = (database, store, key, e) => {
		const reason = e instanceof NotPortable ? e.message :
			e instanceof RangeError ? "too deep" : "no access: " + e.name;
		notPortable.push({ database: string(database), store: string(store), key: readable(key), reason });
		return null;
	};
	/* One record as JSON text, null after a word about why not, or for later what makes it slow. */
	const record = (database, store, key, value) => {
		const outer = store.keyPath === null;
		try {
			return ascii(JSON.stringify([outer ? encodeWhole(key) : null, encodeWhole(value)]));
		} catch (e) {
			return e instanceof Slow ? { store: store.name, outer, key, value } : leave(database, store.name, key, e);
		}
	};
	const slowRecord = async (database, { store, outer, key, value }) => {
		const parts = [], found = new Map();
		try {
			encodeWhole(value, null, parts);
			for (const v of parts)
				found.set(v, await slowText(v));
			return spend(ascii(JSON.stringify([outer ? encodeWhole(key) : null, encodeWhole(value, found)])));
		} catch (e) {
			return leave(database, store, key, e);
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
					out.push(typeof text === "string" ? spend(text) : text);
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
			/* The failed add aborts the transaction by itself; one that waits yet must never be done. */
			if (e instanceof NotPortable)
				transaction.abort();
			if (e.name !== "ConstraintError")
				throw e;
			next = USED_UP;
		}
		await soon(over);
		return next;
	};
	/* What there is of a store while the transaction is open; whole once the slow records have been read. */
	const storeParts = async (db, transaction, name, next) => {
		const store = transaction.objectStore(name);
		const indexes = [...store.indexNames].map((n) => {
			const index = store.index(n);
			return { name: string(n), keyPath: path(index.keyPath),
				unique: index.unique, multi: index.multiEntry };
		});
		const head = JSON.stringify({ name: string(name), keyPath: path(store.keyPath),
			auto: store.autoIncrement, next, indexes });
		used += head.length;
		return { head: ascii(head).slice(0, -1), body: await recordsOf(db.name, store) };
	};
	const storeText = async (database, { head, body }) => {
		const texts = [];
		for (const r of body)
			texts.push(typeof r === "string" ? r : await slowRecord(database, r));
		const whole = texts.filter((t) => t !== null);
		records += whole.length;
		return head + ',"records":[' + whole.join() + "]}";
	};
	const databaseText = async (db) => {
		const names = [...db.objectStoreNames];
		const head = ascii(JSON.stringify({ name: string(db.name), version: db.version }));
		const parts = [], texts = [], nexts = new Map();
		const counted = records;
		if (names.length) {
			const schema = db.transaction(names);
			for (const n of names.filter((n) => schema.objectStore(n).autoIncrement))
				nexts.set(n, await nextKey(db, n));
			const transaction = db.transaction(names);
			for (const n of names)
				parts.push(await storeParts(db, transaction, n, nexts.get(n) ?? null));
		}
		try {
			for (const p of parts)
				texts.push(await storeText(db.name, p));
		} catch (e) {
			records = counted;
			throw e;
		}
		used += head.length;
		return head.slice(0, -1) + ',"stores":[' + texts.join() + "]}";
	};
	/* As it was at an earlier time, or null. */
	const earlier = (name) => {
		const all = before ? JSON.parse(before) : [];
		const found = all.find((d) => JSON.stringify(d.name) === JSON.stringify(string(name)));
		return found ? ascii(JSON.stringify(found)) : null;
	};
	const readDatabase = async (name) => {
		const spent = used, told = notPortable.length;
		let db = null;
		try {
			db = await open(name);
			db.onversionchange = () => db.close();
			return await databaseText(db);
		} catch (e) {
			if (e.name === "AbortError" && db === null)
				return null;
			used = spent;
			notPortable.length = told;
			notPortable.push({ database: string(name), store: null, key: null,
				reason: e instanceof NotPortable ? e.message :
					"no access: " + e.name });
			return e instanceof NotPortable && e.message === "held" ? earlier(name) : null;
		} finally {
			db?.close();
		}
	};

	let list;
	try {
		list = await soon(indexedDB.databases());
	} catch (e) {
		if (e instanceof NotPortable)
			notPortable.push({ database: "*", store: null, key: null, reason: e.message });
		return { text: before ?? "[]", databases: 0, records: 0, notPortable, error: String(e.name) };
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
