/** All of a buffer. */
interface Views {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const VIEWS_KEPT_MAX_BYTES = 16 * 1024 * 1024;

let lastViews: Views = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) };

/** Kept from one reader to the next: messages lie many to a buffer, and views cost more than reading a small one. */
export function viewsOf(buffer: ArrayBufferLike): Views {
  if (lastViews.bytes.buffer === buffer) return lastViews;
  const views = { bytes: new Uint8Array(buffer), view: new DataView(buffer) };
  if (buffer.byteLength <= VIEWS_KEPT_MAX_BYTES) lastViews = views;
  return views;
}
