/*
 * storage_item: one item of localStorage or sessionStorage for the frame that this runs in.
 *
 * Called in an isolated world of the frame, as storage_read is. Takes { session, key }: session is whether it is
 * sessionStorage's.
 * Returns its text; null if there is none, it is longer than a name can be kept in, or the storage may not be opened.
 */
({ session, key }) => {
	const MOST = 262144;

	try {
		const text = (session ? sessionStorage : localStorage).getItem(key);

		return text !== null && text.length <= MOST && text.isWellFormed() ? text : null;
	} catch {
		return null;
	}
}
