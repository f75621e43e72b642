/*
 * indexeddb_write: makes the databases that indexeddb_read described, in the frame where this runs.
 *
 * Called in an isolated world of a blank page that we served ourselves at the frame's origin,
 * before the site's own scripts have ever run in this browser. A database that already exists under
 * a name is replaced. To check, call indexeddb_read afterwards: equal contents give an equal text.
 *
 * Takes { text } from indexeddb_read, whose header describes the format.
 * Returns (a promise of) { databases, records, wrong }:
 *   databases, records   how many were written and committed
 *   wrong   [[database, reason], ...]: the name and message of the exception; that database was
 *           deleted again, so that the site finds all of it or none. Empty: everything is there.
 */
async ({ text }) => {
	const wrong = [];
	let databases = 0, records = 0;

	const string = (v) => {
		if (typeof v === "string")
			return v;
		let s = "";
		for (let i = 0; i < v[1].length; i += 4)
			s += String.fromCharCode(parseInt(v[1].slice(i, i + 4), 16));
		return s;
	};
	const path = (p) => {
		if (p === null)
			return null;
		return Array.isArray(p) && p[0] === "l" ? p[1].map(string) : string(p);
	};
	const buffer = ([, text64, max]) => {
		const bin = atob(text64);
		const options = max === undefined ? {} : { maxByteLength: max };
		const out = new ArrayBuffer(bin.length, options);
		const bytes = new Uint8Array(out);
		for (let i = 0; i < bin.length; i++)
			bytes[i] = bin.charCodeAt(i);
		return out;
	};
	const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
	const VIEWS = { Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array,
		Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
		DataView, Float16Array: self.Float16Array };

	const file = (data, type, name, lastModified) => {
		const bytes = [buffer(["b", data])];
		return name === undefined ? new Blob(bytes, { type: string(type) }) :
			new File(bytes, string(name), { type: string(type), lastModified });
	};
	/* A key is made by a wait, for which no transaction stays open: so beforehand, by its text. */
	const made = new Map();
	const keyOf = (node) => made.get(JSON.stringify(node));
	const makeKey = async (node) => {
		const [, jwk, { name, hash, namedCurve }, usages] = node;
		made.set(JSON.stringify(node),
			await crypto.subtle.importKey("jwk", jwk, { name, hash, namedCurve }, true, usages));
	};

	/* wanted: a list that keys which are to be made are put into. */
	const decoder = (wanted) => {
		const objects = [];
		/* Numbered before its parts, as the reader did: they may refer back to it. */
		const begin = (o) => (objects.push(o), o);
		const fill = (o, pairs) => {
			/* Not by assignment: a key may be called __proto__. */
			for (let i = 0; i < pairs.length; i += 2)
				Object.defineProperty(o, string(pairs[i]), {
					value: decode(pairs[i + 1]),
					writable: true, enumerable: true, configurable: true });
			return o;
		};
		const array = ([, items, named]) => {
			const out = begin([]);
			out.length = items.length;
			items.forEach((v, i) => {
				if (!(Array.isArray(v) && v[0] === "h"))
					out[i] = decode(v);
			});
			return fill(out, named ?? []);
		};
		const map = (pairs) => {
			const out = begin(new Map());
			for (let i = 0; i < pairs.length; i += 2)
				out.set(decode(pairs[i]), decode(pairs[i + 1]));
			return out;
		};
		const set = (items) => {
			const out = begin(new Set());
			for (const v of items)
				out.add(decode(v));
			return out;
		};
		const view = ([, type, of, offset, length]) => {
			const at = objects.push(null) - 1;
			return objects[at] = new VIEWS[type](decode(of), offset, length);
		};
		const error = ([, name, message, stack, ...cause]) => {
			const make = ERRORS[name] ?? Error;
			const out = begin(new make(...(message === null ? [] : [string(message)])));
			if (stack !== null)
				out.stack = string(stack);
			else
				delete out.stack;
			if (cause.length)
				Object.defineProperty(out, "cause", { value: decode(cause[0]),
					writable: true, configurable: true });
			return out;
		};
		const decode = (v) => {
			if (!Array.isArray(v))
				return v;
			switch (v[0]) {
			case "s": return string(v);
			case "u": return undefined;
			case "n": return v[1] === "-0" ? -0 : Number(v[1]);
			case "i": return BigInt(v[1]);
			case "r": return objects[v[1]];
			case "o": return fill(begin({}), v[1]);
			case "a": return array(v);
			case "d": return begin(new Date(v[1] ?? NaN));
			case "b": return begin(buffer(v));
			case "t": return view(v);
			case "m": return map(v[1]);
			case "e": return set(v[1]);
			case "x": return begin(new RegExp(string(v[1]), v[2]));
			case "p": return begin(Object(decode(v[1])));
			case "E": return error(v);
			case "B": return begin(file(v[2], v[1]));
			case "F": return begin(file(v[2], v[1], v[3], v[4]));
			case "K":
				wanted?.push(v);
				return begin(keyOf(v) ?? {});
			}
			throw new TypeError("the saved text holds the unknown tag " + v[0]);
		};
		return decode;
	};
	const decodeWhole = (v, wanted) => decoder(wanted)(v);
	const makeKeys = async (d) => {
		const wanted = [];
		for (const s of d.stores)
			for (const [, value] of s.records)
				decodeWhole(value, wanted);
		for (const node of wanted)
			await makeKey(node);
	};

	const over = (transaction) => new Promise((resolve, reject) => {
		transaction.oncomplete = () => resolve();
		transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
	});
	const remove = (name) => new Promise((resolve, reject) => {
		const request = indexedDB.deleteDatabase(name);
		request.onsuccess = () => resolve();
		request.onerror = () => reject(request.error);
		request.onblocked = () =>
			reject(new Error("another page of this browser holds it open"));
	});
	/* Moves the key generator on, by a record that does not stay. */
	const advance = (store, next) => {
		if (next === null || next <= 1)
			return;
		const value = {};
		if (store.keyPath === null) {
			store.put(value, next - 1);
		} else {
			const steps = store.keyPath.split(".");
			const last = steps.pop();
			let at = value;
			for (const s of steps)
				at = at[s] = {};
			at[last] = next - 1;
			store.put(value);
		}
		store.delete(next - 1);
	};
	const makeStore = (db, s) => {
		const store = db.createObjectStore(string(s.name),
			{ keyPath: path(s.keyPath), autoIncrement: s.auto });
		advance(store, s.next);
		for (const [key, value] of s.records) {
			if (store.keyPath === null)
				store.put(decodeWhole(value), decodeWhole(key));
			else
				store.put(decodeWhole(value));
		}
		/* After the records: one pass over them instead of one update each. */
		for (const x of s.indexes)
			store.createIndex(string(x.name), path(x.keyPath),
				{ unique: x.unique, multiEntry: x.multi });
	};
	/* Schema and records in one version change: all of it is committed, or nothing. */
	const make = (d) => new Promise((resolve, reject) => {
		const request = indexedDB.open(string(d.name), d.version);
		request.onupgradeneeded = () => {
			over(request.transaction).catch(reject);
			try {
				for (const s of d.stores)
					makeStore(request.result, s);
			} catch (e) {
				request.transaction.abort();
				reject(e);
			}
		};
		request.onsuccess = () => resolve(request.result.close());
		request.onerror = () => reject(request.error);
	});

	for (const d of JSON.parse(text)) {
		try {
			await remove(string(d.name));
			if (text.includes('["K",'))
				await makeKeys(d);
			await make(d);
			databases++;
			for (const s of d.stores)
				records += s.records.length;
		} catch (e) {
			await remove(string(d.name)).catch(() => {});
			wrong.push([d.name, e.name + ": " + e.message]);
		}
	}
	return { databases, records, wrong };
}
