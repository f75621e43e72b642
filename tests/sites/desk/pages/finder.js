// The signed-in site: choose a floor, a day, a desk.
import { calendar, readable } from './calendar.js';
import { element } from './element.js';
import { hideMine, refreshMine, showMine } from './mine.js';
import { plan } from './plan.js';
import { query } from './query.js';

const byId = (id) => document.getElementById(id);
const app = byId('app');
const popup = byId('hoteling_desk');
const FLOOR = /^\/finder\/building\/(\d+)\/floor\/(\d+)/;
const [, building, floor] = FLOOR.exec(location.pathname) ?? [];
/* The address may name the day, too: ?date=2026-11-27 */
const chosen = { person: null, date: new URLSearchParams(location.search).get('date'), desk: null };

function say(text) {
	byId('toast').textContent = text;
	byId('toast').hidden = false;
}

function openPopup(desk) {
	chosen.desk = desk;
	byId('popup_text').textContent = `${desk.id} on ${readable(chosen.date)}` +
		(desk.takenBy ? `, taken by ${desk.takenBy}` : '');
	byId('booking_error').textContent = '';
	byId('note').value = '';
	popup.dataset.desk = desk.id;
	popup.showModal();
}

async function bookNow() {
	const { person, date, desk } = chosen;
	byId('book_now').disabled = true;
	try {
		await query('createBooking', { spaceId: desk.spaceId, employeeId: person.employee_id,
			startDate: date, endDate: date, note: byId('note').value });
		popup.close();
		say(`Desk ${desk.id} is booked for ${readable(date)}.`);
		await Promise.all([showPlan(), refreshMine()]);
	} catch (error) {
		byId('booking_error').textContent = error.message;
	} finally {
		byId('book_now').disabled = false;
	}
}

async function showPlan() {
	const { desks } = await query('floor', { building, floor, date: chosen.date });
	byId('plan').replaceChildren(
		element('h2', {}, `Floor ${floor} on ${readable(chosen.date)}`),
		plan(desks, openPopup),
		element('p', { class: 'legend' }, element('i', { class: 'free' }), 'free',
			element('i', { class: 'mine' }), 'yours', element('i', { class: 'taken' }), 'taken'));
	byId('plan').dataset.date = chosen.date;
}

function showCalendar(days) {
	let picked = null;
	const showPicked = () => {
		chosen.date = picked;
		return showPlan();
	};
	const update = element('button', { id: 'update', class: 'primary', disabled: '',
		onclick: showPicked }, 'Update');
	byId('day').replaceChildren(element('h2', {}, 'Which day?'), calendar(days, (iso) => {
		picked = iso;
		update.disabled = false;
	}), update);
}

async function showFloor() {
	const { days, desks } = await query('floor', { building, floor });
	if (!desks.length) {
		app.append(element('h1', {}, 'There is no such floor'),
			element('a', { href: '/finder' }, 'All floors'));
		return;
	}
	const bookDesk = element('button', { id: 'book_desk', class: 'primary',
		onclick: () => showCalendar(days) }, 'Book Desk');
	const hint = element('p', { class: 'empty' },
		'Press “Book Desk” and choose a day to see who sits where.');
	app.append(
		element('div', { class: 'bar' },
			element('h1', {}, `Building ${building}, floor ${floor}`), bookDesk),
		element('div', { class: 'columns' },
			element('section', { id: 'day' }), element('section', { id: 'plan' }, hint)));
	if (chosen.date)
		await showPlan();
}

function buildingCard({ id, name, floors }) {
	return element('section', { class: 'card' }, element('h2', {}, name), ...floors.map((n) =>
		element('a', { href: `/finder/building/${id}/floor/${n}` }, `Floor ${n}`)));
}

async function showFloors() {
	const { buildings } = await query('floor', {});
	app.append(element('h1', {}, `Good day, ${chosen.person.name.split(' ')[0]}`),
		element('p', {}, 'Where would you like to sit?'),
		element('div', { class: 'cards' }, ...buildings.map(buildingCard)));
}

async function signOut() {
	await fetch('/logout', { method: 'POST' });
	location.assign('/login');
}

export function startFinder(person) {
	chosen.person = person;
	byId('my_bookings_button').onclick = showMine;
	byId('my_bookings_close').onclick = hideMine;
	byId('book_now').onclick = bookNow;
	byId('popup_close').onclick = () => popup.close();
	byId('sign_out').onclick = signOut;
	byId('boot').remove();
	byId('who').textContent = person.email;
	app.hidden = false;
	document.body.dataset.ready = 'yes';
	return building ? showFloor() : showFloors();
}
