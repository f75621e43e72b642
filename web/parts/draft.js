/* What somebody has typed into one form and takes along to another, once. */
let draft = null;

export function draftKeep(site, action, values)
{
	draft = { site, action, values };
}

export function draftTake(site, action)
{
	const { values = null } = draft?.site === site && draft.action === action ? draft : {};

	draft = null;
	return values;
}
