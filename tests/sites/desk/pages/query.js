import { signedOut } from './boot.js';

/** One operation of the site's API; throws what the API says when it refuses. */
export async function query(operationName, variables = {}) {
	const body = { operationName, query: documents[operationName], variables };
	const answer = await fetch('https://api.desk.test/queries', {
		method: 'POST', credentials: 'include', body: JSON.stringify(body),
		headers: { 'content-type': 'application/json' } });
	const { data, errors } = await answer.json();
	if (answer.status === 401)
		return signedOut({ missing: ['ended'] });
	if (errors)
		throw new Error(errors[0].message);
	return data[operationName];
}

const documents = {
	createBooking: 'mutation createBooking($spaceId: ID!, $employeeId: ID!, $startDate: Date!, ' +
		'$endDate: Date!, $note: String) { createBooking(spaceId: $spaceId, employeeId: $employeeId, ' +
		'startDate: $startDate, endDate: $endDate, note: $note) { id } }',
	myBookings: 'query myBookings { myBookings { id desk date building floor note } }',
	floor: 'query floor($building: Int!, $floor: Int!, $date: Date) { floor(building: $building, ' +
		'floor: $floor, date: $date) { days buildings desks } }',
};
