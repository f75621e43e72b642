/*
 * element_edit: writes to the element that element_wait found last (globalThis.steadElement).
 *
 * Called in the same isolated world. Takes { act, value }:
 *   "focus"   gives it the focus and selects all that it holds, so that typed text replaces it
 *   "set"     for what cannot be typed into (date, time, range, colour): sets it as its picker would
 *   "choose"  chooses the option of that label or value of a select element
 *   "changed" says to the page that what was typed is all, as leaving the field would; but it stays where it is, for what
 *             the page has opened beside it (suggestions) would close
 *   "held"    tells what it holds, once that has stood for two frames: a page may take text back or reshape it
 * Returns { gone: true } if the element is no longer there, else
 *   { kind, held, secret }   kind: "text" (it takes typed text), "set" (it takes "set"), "select" or "none"
 */
async ({ act, value }) => {
	const e = globalThis.steadElement;
	const SET = ["date", "datetime-local", "month", "week", "time", "range", "color"];
	const NONE = ["button", "checkbox", "file", "hidden", "image", "radio", "reset", "submit"];
	const kind = () => {
		if (e.matches("select"))
			return "select";
		if (e.matches("input"))
			return SET.includes(e.type) ? "set" : NONE.includes(e.type) ? "none" : "text";
		return e.matches("textarea") || e.isContentEditable ? "text" : "none";
	};
	const collapse = (s) => s.replace(/\s+/g, " ").trim();
	const held = () => e.matches("input,textarea,select") ? e.value : e.innerText ?? "";
	const tell_page = () => {
		e.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
		e.dispatchEvent(new Event("change", { bubbles: true }));
	};
	const frame = () => new Promise((resolve) => {
		const timer = setTimeout(resolve, 100);
		requestAnimationFrame(() => {
			clearTimeout(timer);
			resolve();
		});
	});
	const choose = () => {
		const usable = [...e.options].filter((o) => !o.disabled && !o.parentElement.disabled);
		const o = usable.find((o) => collapse(o.label) === collapse(value)) ?? usable.find((o) => o.value === value);
		if (!o)
			return;
		for (const other of e.options)
			other.selected = other === o;
		tell_page();
	};
	if (!e?.isConnected)
		return { gone: true };
	if (act === "focus") {
		/* A label or a wrapper may have put the focus elsewhere. */
		if (e.getRootNode().activeElement !== e && !e.isContentEditable)
			e.focus();
		if (e.matches("input,textarea"))
			e.select();
		else
			getSelection().selectAllChildren(e);
	} else if (act === "set") {
		e.value = value;
		tell_page();
	} else if (act === "changed") {
		if (e.matches("input,textarea"))
			e.dispatchEvent(new Event("change", { bubbles: true }));
	} else if (act === "choose") {
		choose();
	} else {
		await frame();
		await frame();
		if (!e.isConnected)
			return { gone: true };
	}
	const chosen = e.matches("select") ? [...e.selectedOptions].map((o) => collapse(o.label)) : [];
	const right = chosen.length === 1 && (chosen[0] === collapse(value ?? "") || e.value === value);
	return { kind: kind(), held: right ? value : held(), secret: e.matches("input[type=password]") };
}
