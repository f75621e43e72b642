// Writes and reads the whole IndexedDB of the site in the form of typed.js.
import { build, describe } from './typed.js';

const done = (request) => new Promise((resolve, reject) => {
	request.onsuccess = () => resolve(request.result);
	request.onerror = () => reject(request.error);
});

function makeStores(db, stores) {
	for (const { name, keyPath, autoIncrement, indexes } of stores) {
		const store = db.createObjectStore(name, { keyPath, autoIncrement });
		for (const index of indexes)
			store.createIndex(index.name, index.keyPath, index);
	}
}

export async function writeDatabase({ name, version, stores }) {
	await done(indexedDB.deleteDatabase(name));
	const opening = indexedDB.open(name, version);
	opening.onupgradeneeded = () => makeStores(opening.result, stores);
	const db = await done(opening);
	const names = stores.map((store) => store.name);
	const work = db.transaction(names, 'readwrite', { durability: 'strict' });
	const complete = new Promise((resolve, reject) => {
		work.oncomplete = resolve;
		work.onabort = () => reject(work.error);
	});
	for (const { name: store, keyPath, autoIncrement, records } of stores) {
		for (const { key, value } of records) {
			const own = keyPath !== null || autoIncrement;
			work.objectStore(store).add(build(value), ...(own ? [] : [build(key)]));
		}
	}
	await complete;
	db.close();
}

async function readStore(store) {
	const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
	const indexes = [...store.indexNames].map((name) => {
		const { keyPath, unique, multiEntry } = store.index(name);
		return { name, keyPath, unique, multiEntry };
	});
	const records = keys.map((key, i) => ({ key: describe(key), value: describe(values[i]) }));
	const { name, keyPath, autoIncrement } = store;
	return { name, keyPath, autoIncrement, indexes, records };
}

/** The database, or null: looking must not make an empty one. */
export async function readDatabase(name) {
	if (!(await indexedDB.databases()).some((one) => one.name === name))
		return null;
	const db = await done(indexedDB.open(name));
	const names = [...db.objectStoreNames];
	const stores = names.length ? await Promise.all(names.map((store) =>
		readStore(db.transaction(names).objectStore(store)))) : [];
	const { version } = db;
	db.close();
	return { name, version, stores };
}
