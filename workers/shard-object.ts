import { DurableObject } from 'cloudflare:workers';
import { SqliteLogStore } from '../src/hosts/durable-object/sqlite-log-store.ts';

/** One shard: its log lies in this object's own database. Nothing is served from it yet. */
export class ShardObject extends DurableObject {
  readonly store: SqliteLogStore;

  /** @throws when a newer version of Milena has written the database: the object answers with that error. */
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.store = new SqliteLogStore(ctx.storage);
  }
}
