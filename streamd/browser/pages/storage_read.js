/*
 * storage_read: what localStorage and sessionStorage hold for the frame that this runs in.
 *
 * Called in an isolated world of the frame, so that nothing the page did to Storage.prototype can
 * lie to us or notice us. A partitioned iframe answers for its own partition, since the world
 * shares the frame's storage key.
 *
 * Takes: nothing.
 * Returns { origin, local, session, localError, sessionError }:
 *   origin          location.origin as the frame sees it ("null" for an opaque one)
 *   local, session  [[key, value], ...] in ascending order of key, so that two equal areas read
 *                   equal; null when the area may not be opened
 *   localError, sessionError  null, or the name of the exception that opening it threw
 *                   (SecurityError: sandboxed, opaque or blocked third-party storage)
 *
 * A string is itself when it is well-formed Unicode without NUL, else ["s", HEX], HEX being its
 * UTF-16 code units, four digits each: JSON parsers refuse what the first form cannot carry.
 */
() => {
	const string = (s) => {
		if (s.isWellFormed() && !s.includes("\0"))
			return s;
		let hex = "";
		for (let i = 0; i < s.length; i++)
			hex += s.charCodeAt(i).toString(16).padStart(4, "0");
		return ["s", hex];
	};
	const read = (open) => {
		try {
			const area = open();
			const keys = [];
			for (let i = 0; i < area.length; i++)
				keys.push(area.key(i));
			keys.sort();
			return [keys.map((k) => [string(k), string(area.getItem(k))]), null];
		} catch (e) {
			return [null, String(e.name)];
		}
	};
	const [local, localError] = read(() => self.localStorage);
	const [session, sessionError] = read(() => self.sessionStorage);

	return { origin: self.origin, local, session, localError, sessionError };
}
