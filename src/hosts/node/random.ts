import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

export const nodeRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  uuid() {
    for (;;) {
      const uuid = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
      if (!uuid.startsWith('-')) return uuid;
    }
  },
};
