// Values with their types written beside them, so that JSON can carry what IndexedDB can hold.

const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const mapObject = (object, change) =>
	Object.fromEntries(Object.keys(object).map((name) => [name, change(object[name])]));

const BUILD = {
	string: (v) => v, boolean: (v) => v, number: Number, null: () => null, undefined: () => undefined,
	bigint: BigInt, date: (v) => new Date(v), regexp: (v) => new RegExp(...v),
	buffer: (v) => unhex(v).buffer, bytes: unhex,
	array: (v) => v.map(build), object: (v) => mapObject(v, build), set: (v) => new Set(v.map(build)),
	map: (v) => new Map(v.map(([key, value]) => [build(key), build(value)])),
};

const DESCRIBE = {
	Date: (v) => ({ t: 'date', v: v.getTime() }),
	RegExp: (v) => ({ t: 'regexp', v: [v.source, v.flags] }),
	ArrayBuffer: (v) => ({ t: 'buffer', v: hex(new Uint8Array(v)) }),
	Uint8Array: (v) => ({ t: 'bytes', v: hex(v) }),
	Array: (v) => ({ t: 'array', v: Array.from(v, describe) }),
	Object: (v) => ({ t: 'object', v: mapObject(v, describe) }),
	Set: (v) => ({ t: 'set', v: [...v].map(describe) }),
	Map: (v) => ({ t: 'map', v: [...v].map(([key, value]) => [describe(key), describe(value)]) }),
};

export function build({ t, v }) {
	return BUILD[t](v);
}

export function describe(value) {
	if (value === null)
		return { t: 'null' };
	if (typeof value === 'undefined')
		return { t: 'undefined' };
	if (typeof value === 'string' || typeof value === 'boolean')
		return { t: typeof value, v: value };
	if (typeof value === 'number')
		return { t: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
	if (typeof value === 'bigint')
		return { t: 'bigint', v: String(value) };
	const kind = Object.prototype.toString.call(value).slice(8, -1);
	return DESCRIBE[kind]?.(value) ?? { t: kind };
}
