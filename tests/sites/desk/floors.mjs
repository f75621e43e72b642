// The buildings, their floors and desks. Some desks belong to somebody for good.

export const BUILDINGS = [
	{ id: 1, name: 'North House', letter: 'D', floors: [1, 2, 3] },
	{ id: 2, name: 'Canal Yard', letter: 'E', floors: [1, 2] },
];

const DESKS = 24;
const PER_ROW = 6;
const OWNERS = { 7: 'Erin Vogel', 14: 'Farid Nasser', 21: 'Grace Kim' };

function deskOf(building, floor, number) {
	const place = number - 1;
	return {
		id: `${building.letter}-${floor * 100 + number}`,
		spaceId: building.id * 10_000 + floor * 100 + number,
		building: building.id, floor, owner: OWNERS[number] ?? null,
		x: 90 + (place % PER_ROW) * 110 + (place % PER_ROW > 2 ? 60 : 0),
		y: 80 + Math.floor(place / PER_ROW) * 90 + (place >= 2 * PER_ROW ? 30 : 0),
	};
}

const desks = BUILDINGS.flatMap((building) => building.floors.flatMap((floor) =>
	Array.from({ length: DESKS }, (_, i) => deskOf(building, floor, i + 1))));

export function desksOf(building, floor) {
	return desks.filter((desk) => desk.building === building && desk.floor === floor);
}

export function deskBySpace(spaceId) {
	return desks.find((desk) => desk.spaceId === Number(spaceId));
}

export function deskById(id) {
	return desks.find((desk) => desk.id === id);
}
