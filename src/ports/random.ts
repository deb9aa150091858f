import type { Uuid } from '../model/ids.ts';

/** The only chance there is: crypto on a host, a seed in the simulator. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A version 4 UUID in Kafka's base64url form, never starting with `-` (Kafka avoids it for its command lines). */
  uuid(): Uuid;
}
