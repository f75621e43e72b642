// Runs before anything of the site is shown: right after a sign-in it puts the session's values
// where they belong, and on every load it shows the server that all of them are still there.
import { readDatabase, writeDatabase } from './database.js';
import { startFinder } from './finder.js';

const FRAME_LIMIT_MS = 10_000;

export function signedOut({ missing, detail }) {
	const query = new URLSearchParams({ expired: missing.join(',') });
	if (detail)
		query.set('detail', detail);
	location.replace(`/login?${query.toString().replaceAll('%2C', ',')}`);
	return new Promise(() => {}); /* nothing more happens on this page */
}

async function ask(path, body) {
	const answer = await fetch(path, body && { method: 'POST', body: JSON.stringify(body),
		headers: { 'content-type': 'application/json' } });
	const value = await answer.json();
	return answer.ok ? value : signedOut(value);
}

async function keep({ token, tab, database }) {
	localStorage.setItem('desk.token', token);
	sessionStorage.setItem('desk.tab', tab);
	await writeDatabase(database);
}

/* A frame that cannot be loaded never speaks: then both of its kinds count as missing. */
function askFrame(address) {
	const frame = document.createElement('iframe');
	return new Promise((resolve) => {
		const timer = setTimeout(() => resolve({}), FRAME_LIMIT_MS);
		addEventListener('message', ({ origin, source, data }) => {
			if (origin !== 'https://widgets.test' || source !== frame.contentWindow)
				return;
			clearTimeout(timer);
			resolve(data.widget);
		});
		frame.title = 'Office weather';
		frame.src = address;
		document.getElementById('weather').append(frame);
	});
}

/* Some sites sign out when their page goes away, and so must never see it go. */
function sayFarewell() {
	let inside = false;
	addEventListener('click', ({ target }) => { inside = target.closest('a[href]') !== null; });
	addEventListener('pagehide', () => inside || navigator.sendBeacon('/logout'));
}

async function boot() {
	document.querySelector('header').hidden = false;
	const { person, issue, frame, farewell } = await ask('/boot');
	if (issue)
		await keep(issue);
	const { receipt, storage, error } = frame ? await askFrame(frame) : {};
	if (error)
		console.warn(`The widget could not start: ${error}`);
	const { token } = await ask('/boot-check', { token: localStorage.getItem('desk.token'),
		tab: sessionStorage.getItem('desk.tab'), database: await readDatabase('desk'),
		widgetReceipt: receipt, widgetStorage: storage });
	if (token)
		localStorage.setItem('desk.token', token);
	if (farewell)
		sayFarewell();
	startFinder(person);
}

boot().catch((error) => {
	document.getElementById('boot').textContent = `This page could not start: ${error}`;
});
