/*
 * device: what a page asks of the person's own device, where there is none.
 *
 * Runs in the page's world of every frame before its first script. It changes what the page is told as little as it can:
 * that there is no authenticator that could make or use a passkey, which is so (streamd/browser/device.c ends those that are asked
 * for all the same). That one was asked for, and that text was put on the clipboard after a press, it tells to watch.js
 * by an event of the document, since no other world can see it. A page can send such events too: it can only claim what it
 * could as well have done.
 */
() => {
	const tell = (type, detail) => document.dispatchEvent(new CustomEvent(type, { detail }));
	/* As the page's own scripts see it, the function is still the browser's. */
	const around = (object, name, apply) => {
		const held = object && Object.getOwnPropertyDescriptor(object, name);

		if (held?.configurable && typeof held.value === "function")
			Object.defineProperty(object, name, { ...held, value: new Proxy(held.value, { apply }) });
	};
	const without = (object, name) => around(object, name, () => Promise.resolve(false));
	const passkey = (kind) => (target, self, [options, ...rest]) => {
		if (options?.publicKey)
			tell("stead-passkey", kind);
		return Reflect.apply(target, self, [options, ...rest]);
	};
	const copied = (target, self, [text, ...rest]) => {
		const done = Reflect.apply(target, self, [text, ...rest]);

		done.then(() => tell("stead-copied", String(text)), () => {});
		return done;
	};
	const copied_items = (target, self, args) => {
		const done = Reflect.apply(target, self, args);
		const item = [...args[0] ?? []].find(({ types }) => types?.includes("text/plain"));

		if (item)
			done.then(() => item.getType("text/plain")).then((blob) => blob.text())
				.then((text) => tell("stead-copied", text)).catch(() => {});
		return done;
	};

	without(globalThis.PublicKeyCredential, "isUserVerifyingPlatformAuthenticatorAvailable");
	without(globalThis.PublicKeyCredential, "isConditionalMediationAvailable");
	around(globalThis.CredentialsContainer?.prototype, "get", passkey("get"));
	around(globalThis.CredentialsContainer?.prototype, "create", passkey("create"));
	around(globalThis.Clipboard?.prototype, "writeText", copied);
	around(globalThis.Clipboard?.prototype, "write", copied_items);
}
