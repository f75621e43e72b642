// The person's own list: what counts as booked is what stands here.
import { readable } from './calendar.js';
import { element } from './element.js';
import { query } from './query.js';

const panel = document.getElementById('my_bookings');
const table = panel.querySelector('.UITable');

function row({ id, date, desk, building, floor, note }) {
	return element('div', { class: 'UITable---row', role: 'row', 'data-booking': id, 'data-date': date,
		'data-desk': desk },
	element('span', { class: 'date' }, readable(date)), element('b', { class: 'desk' }, desk),
	element('span', { class: 'place' }, `building ${building}, floor ${floor}`),
	element('span', { class: 'note' }, note));
}

/** Reads the list anew; aria-busy is true while it may be out of date. */
export async function showMine() {
	panel.hidden = false;
	panel.setAttribute('aria-busy', 'true');
	const rows = await query('myBookings');
	table.replaceChildren(...(rows.length ? rows.map(row) :
		[element('p', { class: 'empty' }, 'You have no bookings yet.')]));
	panel.dataset.rows = rows.length;
	panel.setAttribute('aria-busy', 'false');
}

export async function refreshMine() {
	if (!panel.hidden)
		await showMine();
}

export function hideMine() {
	panel.hidden = true;
}
