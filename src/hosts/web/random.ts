import type { Random } from '../../ports/random.ts';
import { decodeUuid } from '../../wire/text.ts';

export const webRandom: Random = {
  next() {
    const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
    return ((high >>> 11) * 2 ** 32 + low) / 2 ** 53;
  },
  uuid() {
    for (;;) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const uuid = decodeUuid(bytes, 0);
      if (!uuid.startsWith('-')) return uuid;
    }
  },
};
