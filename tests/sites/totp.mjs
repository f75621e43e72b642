// One-time codes as RFC 6238 says: HMAC-SHA1, six digits, thirty-second steps.
import { createHmac, timingSafeEqual } from 'node:crypto';

const STEP_S = 30;

function base32Decode(text) {
	const bits = [...text.replace(/=+$/, '').toUpperCase()]
		.map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
		.join('');
	return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

function codeOfStep(secret, step) {
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(step));
	const mac = createHmac('sha1', base32Decode(secret)).update(counter).digest();
	const word = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
	return String(word % 1_000_000).padStart(6, '0');
}

/** The code of a base32 secret at a time, by default now. */
export function totp(secret, now_ms = Date.now()) {
	return codeOfStep(secret, Math.floor(now_ms / 1000 / STEP_S));
}

/** For how many whole seconds that code is still the current one. */
export function totpSecondsLeft(now_ms = Date.now()) {
	return STEP_S - (Math.floor(now_ms / 1000) % STEP_S);
}

/** One step of clock skew either way is allowed, as RFC 6238 section 5.2 suggests. */
export function totpVerify(secret, code, now_ms = Date.now()) {
	const given = Buffer.from(String(code ?? '').replace(/\s/g, ''));
	return [-1, 0, 1].some((skew) => {
		const right = Buffer.from(totp(secret, now_ms + skew * STEP_S * 1000));
		return given.length === right.length && timingSafeEqual(given, right);
	});
}
