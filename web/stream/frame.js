/*
 * One binary message: a header of 32 bytes, little-endian, then a JPEG.
 *
 *	0 u8 type = 1   1 u8 flags (bit 0: sharp still)   2 u16 reserved   4 u32 seq   8 f64
 * captured_at, s since 1970
 *	16 f32 page width   20 f32 page height   24 f32 offset_top   28 f32 page_scale, sizes in CSS
 * px of the remote page
 */
const HEADER = 32;
const TYPE_FRAME = 1;
const FLAG_SHARP = 1;

/* null if it is nothing that we can show. */
export function parseFrame(buffer)
{
	if (buffer.byteLength <= HEADER)
		return null;

	const view = new DataView(buffer);
	const frame = {
		sharp: Boolean(view.getUint8(1) & FLAG_SHARP),
		seq: view.getUint32(4, true),
		capturedAtMs: 1000 * view.getFloat64(8, true),
		page: {
			width: view.getFloat32(16, true),
			height: view.getFloat32(20, true),
			offsetTop: view.getFloat32(24, true),
		},
		jpeg: new Uint8Array(buffer, HEADER),
	};

	if (view.getUint8(0) !== TYPE_FRAME || !(frame.page.width > 0) || !(frame.page.height > 0))
		return null;
	return frame;
}
