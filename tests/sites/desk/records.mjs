// What the site keeps in IndexedDB, written down so that it survives JSON: every value carries its
// type. The page builds the database from this, and later reads it back into the same form.
import { randomUUID } from 'node:crypto';

const string = (v) => ({ t: 'string', v });
const number = (v) => ({ t: 'number', v: Object.is(v, -0) ? '-0' : String(v) });
const bool = (v) => ({ t: 'boolean', v });
const object = (v) => ({ t: 'object', v });
const array = (...v) => ({ t: 'array', v });
const date = (ms) => ({ t: 'date', v: ms });
const NOTHING = { t: 'undefined' };
const NULL = { t: 'null' };

const ODD = 'half \ud83d a pair, \u0000 a NUL, \ufffd a real replacement, \u00fc and \u{1f4ba}';

function people(account, secret) {
	return [
		{ key: string('me'), value: object({
			id: string('me'), email: string(account.email), secret: string(secret),
			tags: array(string('self'), string('desk')), joined: date(1_582_934_400_123),
			preferences: { t: 'map', v: [[string('window'), bool(true)], [number(7), date(0)]] },
			floors: { t: 'set', v: [number(1), string('2')] },
			photo: { t: 'buffer', v: '00ff10807f' }, key: { t: 'bytes', v: 'fffefd0001' } }) },
		{ key: string('nobody'), value: object({
			id: string('nobody'), email: string(''), tags: array(), zero: number(0), no: bool(false),
			nothing: NOTHING, none: NULL, odd: string(ODD), third: number(1 / 3),
			nested: object({ list: array(NOTHING, NULL, object({})) }) }) },
	];
}

function visits(secret) {
	return [
		{ key: number(1), value: object({ at: date(1_763_596_800_000), note: string(secret) }) },
		{ key: number(2), value: NULL },
		{ key: number(3), value: string(ODD) },
		{ key: number(4), value: number(0) },
	];
}

/* Keys in the order that IndexedDB sorts them: number, date, string, array. */
const EXOTIC = { name: 'exotic', keyPath: null, autoIncrement: false, indexes: [], records: [
	{ key: number(-1.5), value: array(number(NaN), number(-0), number(-Infinity)) },
	{ key: date(86_400_000), value: { t: 'bigint', v: '-170141183460469231731687303715884105728' } },
	{ key: array(string('a'), number(2)), value: { t: 'regexp', v: ['a-b\\d+', 'giu'] } },
] };

/** The database of one session; each has a secret of its own in it. */
export function databaseFor(account, exotic) {
	const secret = randomUUID();
	return { name: 'desk', version: 3, stores: [
		...(exotic ? [EXOTIC] : []),
		{ name: 'people', keyPath: 'id', autoIncrement: false, indexes: [
			{ name: 'by_email', keyPath: 'email', unique: true, multiEntry: false },
			{ name: 'by_tag', keyPath: 'tags', unique: false, multiEntry: true },
		], records: people(account, secret) },
		{ name: 'visits', keyPath: null, autoIncrement: true, indexes: [], records: visits(secret) },
	] };
}

const show = (value) => (value === undefined ? 'nothing' : JSON.stringify(value)).slice(0, 120);

/** Every place where what was found is not what is right, each as one line. */
export function differences(right, found, path = 'desk') {
	if (right === null || typeof right !== 'object' || found === null || typeof found !== 'object')
		return Object.is(right, found) ? [] : [`${path}: should be ${show(right)}, is ${show(found)}`];
	const names = new Set([...Object.keys(right), ...Object.keys(found)]);
	return [...names].flatMap((name) => differences(
		Object.hasOwn(right, name) ? right[name] : undefined,
		Object.hasOwn(found, name) ? found[name] : undefined,
		`${path}.${right[name]?.name ?? name}`));
}
