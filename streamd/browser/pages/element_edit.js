/*
 * element_edit: writes to the element that element_wait found last (globalThis.steadElement).
 *
 * Called in the same isolated world. Takes { act, value, name, type }:
 *   "focus"   gives it the focus and selects all that it holds, so that typed text replaces it
 *   "set"     for what cannot be typed into (date, time, range, colour): sets it as its picker would
 *   "choose"  chooses the option of that label or value of a select element
 *   "changed" says to the page that what was typed is all, as leaving the field would; but it stays where it is, for what
 *             the page has opened beside it (suggestions) would close
 *   "reach"   gives it the focus and leaves what it holds as it is
 *   "tick"    changes nothing: "held" is whether it, the one that it is the label of, or the only one in it is ticked
 *   "upload"  gives the field, or that which it is the label of, a file of that name and type with the text value
 *   "held"    tells what it holds, once that has stood for two frames: a page may take text back or reshape it
 * Returns { gone: true } if the element is no longer there, else
 *   { kind, held, secret, disabled, unreached }
 *     kind       "text" (it takes typed text), "set" (it takes "set"), "select", "box", "radio", "file" or "none"
 *     held       what it holds; of a box or a radio button "on", "off" or "mixed"
 *     disabled   upload: it takes no file now
 *     unreached  reach: the focus is elsewhere
 */
async ({ act, value, name, type }) => {
	const BOXES = "input[type=checkbox],input[type=radio],[role=checkbox],[role=switch],[role=radio],[role=menuitemcheckbox],[role=menuitemradio]";
	/* The one that is meant by what is pressed: a label stands for its field, and what is drawn for what it holds. */
	const meant = (e, selector) => {
		const it = e?.matches("label") && e.control ? e.control : e;
		const inside = it && !it.matches(selector) ? it.querySelectorAll(selector) : [];
		return inside.length === 1 ? inside[0] : it;
	};
	const found = globalThis.steadElement;
	const e = act === "tick" ? meant(found, BOXES) : act === "upload" ? meant(found, "input[type=file]") : found;
	const SET = ["date", "datetime-local", "month", "week", "time", "range", "color"];
	const NONE = ["button", "checkbox", "file", "hidden", "image", "radio", "reset", "submit"];
	const kind = () => {
		if (e.matches("select"))
			return "select";
		if (act === "tick")
			return !e.matches(BOXES) ? "none" : e.type === "radio" || /radio$/.test(e.getAttribute("role")) ? "radio" : "box";
		if (act === "upload")
			return e.matches("input[type=file]") ? "file" : "none";
		if (e.matches("input"))
			return SET.includes(e.type) ? "set" : NONE.includes(e.type) ? "none" : "text";
		return e.matches("textarea") || e.isContentEditable ? "text" : "none";
	};
	const collapse = (s) => s.replace(/\s+/g, " ").trim();
	const ticked = () => {
		if (e.matches("input"))
			return e.indeterminate ? "mixed" : e.checked ? "on" : "off";
		return { true: "on", mixed: "mixed" }[e.getAttribute("aria-checked")] ?? "off";
	};
	const held = () => act === "tick" ? ticked() : e.matches("input,textarea,select") ? e.value : e.innerText ?? "";
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
	const upload = () => {
		const carrier = new DataTransfer();
		carrier.items.add(new File([value], name, { type }));
		e.files = carrier.files;
		tell_page();
	};
	const has_focus = () => document.hasFocus() && e.getRootNode().activeElement === e;
	if (!e?.isConnected)
		return { gone: true };
	const disabled = e.matches(":disabled");
	if (act === "upload") {
		if (kind() === "file" && !disabled)
			upload();
	} else if (act === "reach") {
		e.focus();
	} else if (act === "focus") {
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
	} else if (act === "held") {
		await frame();
		await frame();
		if (!e.isConnected)
			return { gone: true };
	}
	const chosen = e.matches("select") ? [...e.selectedOptions].map((o) => collapse(o.label)) : [];
	const right = chosen.length === 1 && (chosen[0] === collapse(value ?? "") || e.value === value);
	const kept = right ? value : act === "upload" ? "" : held();
	return { kind: kind(), held: kept, secret: e.matches("input[type=password]"), disabled, unreached: act === "reach" && !has_focus() };
}
