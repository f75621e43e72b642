// The people who can sign in. They exist in this test only; their secrets protect nothing.
import { readFileSync } from 'node:fs';

export const accounts = JSON.parse(readFileSync(new URL('accounts.json', import.meta.url), 'utf8'));

export function accountByLogin(login) {
	const wanted = String(login ?? '').trim().toLowerCase();
	return accounts.find((a) => a.login === wanted || a.email === wanted);
}
