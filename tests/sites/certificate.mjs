// A certificate authority and one leaf for all the names, made once per directory by openssl.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function openssl(...args) {
	try {
		return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
	} catch (error) {
		throw new Error(`openssl ${args[0]} failed: ${error.stderr || error.message}. ` +
			'Install the package openssl, and see that the directory can be written.');
	}
}

function isUsable(file, hosts) {
	if (!Object.values(file).every((path) => existsSync(path)))
		return false;
	const leaf = new X509Certificate(readFileSync(file.cert));
	const oneDay_ms = 86_400_000;
	return hosts.every((host) => leaf.checkHost(host)) &&
		new Date(leaf.validTo).getTime() > Date.now() + oneDay_ms;
}

function make(dir, file, hosts) {
	const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
	const request = join(dir, 'leaf.csr');
	const extensions = join(dir, 'leaf.ext');

	openssl('req', '-x509', ...key, '-keyout', file.caKey, '-out', file.ca, '-days', '397',
		'-subj', '/CN=Stead stand-in sites CA',
		'-addext', 'basicConstraints=critical,CA:TRUE',
		'-addext', 'keyUsage=critical,keyCertSign');
	openssl('req', ...key, '-keyout', file.key, '-out', request, '-subj', `/CN=${hosts[0]}`);
	writeFileSync(extensions, 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' +
		`subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}\n`);
	openssl('x509', '-req', '-in', request, '-CA', file.ca, '-CAkey', file.caKey,
		'-CAcreateserial', '-days', '397', '-extfile', extensions, '-out', file.cert);
	for (const path of [file.caKey, file.key])
		chmodSync(path, 0o600);
	for (const path of [request, extensions])
		rmSync(path);
}

/**
 * The certificate kept in dir, made on first use and when it no longer fits.
 * spki is what Chromium's --ignore-certificate-errors-spki-list takes: base64 of the SHA-256 of the
 * leaf's SubjectPublicKeyInfo (also curl's --pinnedpubkey, which wants "sha256//" before it).
 */
export function certificateOf(dir, hosts) {
	const file = { ca: join(dir, 'ca.pem'), caKey: join(dir, 'ca.key'),
		cert: join(dir, 'leaf.pem'), key: join(dir, 'leaf.key') };
	if (!isUsable(file, hosts))
		make(dir, file, hosts);
	const cert = readFileSync(file.cert);
	const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
	return { caPath: file.ca, ca: readFileSync(file.ca), cert, key: readFileSync(file.key),
		spki: createHash('sha256').update(spki).digest('base64') };
}
