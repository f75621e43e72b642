/*
 * storage_write: makes localStorage and sessionStorage of the frame hold exactly what is given.
 *
 * Called in an isolated world of a blank page that we served ourselves at the frame's origin,
 * before the site's own scripts have ever run in this browser. Each area is cleared, written, and
 * read back.
 *
 * Takes { local, session } as storage_read returned them (null: leave that area alone).
 * Returns { local, session, wrong }:
 *   local, session  how many entries hold the value that was asked for
 *   wrong           [[area, key, reason], ...]: reason is the name of the exception
 *                   (QuotaExceededError, SecurityError) or "differs"; key is null when the whole
 *                   area failed. Empty: everything is there, and nothing else.
 */
({ local, session }) => {
	const wrong = [];
	const string = (v) => {
		if (typeof v === "string")
			return v;
		let s = "";
		for (let i = 0; i < v[1].length; i += 4)
			s += String.fromCharCode(parseInt(v[1].slice(i, i + 4), 16));
		return s;
	};
	const put = (name, area, [key, value]) => {
		const k = string(key), v = string(value);
		try {
			area.setItem(k, v);
			if (area.getItem(k) === v)
				return 1;
			wrong.push([name, key, "differs"]);
		} catch (e) {
			wrong.push([name, key, String(e.name)]);
		}
		return 0;
	};
	const write = (name, entries) => {
		if (entries === null || entries === undefined)
			return 0;
		let good = 0;
		try {
			const area = self[name];
			area.clear();
			for (const entry of entries)
				good += put(name, area, entry);
			if (area.length !== good && good === entries.length)
				wrong.push([name, null, "differs"]);
		} catch (e) {
			wrong.push([name, null, String(e.name)]);
		}
		return good;
	};

	const good = [write("localStorage", local), write("sessionStorage", session)];
	return { local: good[0], session: good[1], wrong };
}
