/** An element with attributes and children; on… are listeners, text children become text. */
export function element(name, attributes = {}, ...children) {
	const svg = ['svg', 'circle', 'rect', 'path', 'text', 'title', 'g'].includes(name);
	const made = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) :
		document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith('on'))
			made.addEventListener(key.slice(2), value);
		else
			made.setAttribute(key, value);
	}
	made.append(...children);
	return made;
}
