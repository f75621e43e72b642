// The own list on a page of its own: bare until the rows have been fetched, or (data-hasty) empty until then.
import { readable } from './calendar.js';
import { element } from './element.js';

const table = document.querySelector('.UITable');
const none = () => [element('p', { class: 'empty' }, 'You have no bookings yet.')];

if (table.dataset.hasty === 'yes')
	table.replaceChildren(...none());
if (table.dataset.polls === 'yes')
	fetch('/mine/news');
const answer = await fetch(`/mine/rows${location.search}`);
const rows = answer.ok ? await answer.json() : [];

/* What was refused looks as if there were nothing; a page that is bare until then stays so. */
if (answer.ok || table.dataset.hasty === 'yes')
	table.replaceChildren(...(rows.length ? rows.map(({ date, desk }) => element('div', { class: 'UITable---row', role: 'row' },
		element('span', { class: 'date' }, readable(date)), element('b', { class: 'desk' }, desk))) : none()));
