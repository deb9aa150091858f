import { onDemand } from '../on-demand.ts';
import type { AdminParts } from './asking.ts';
import type { Nouns } from './nouns.ts';

const loadNouns = onDemand('client.admin', async () => (await import('./nouns.ts')).nounsOf);

type Verbs = Readonly<Record<string, (...given: unknown[]) => Promise<unknown>>>;

/**
 * What is there, and changing it: `client.admin`. Each request goes to the broker it is for, and what may pass is tried
 * again within the client's `retryForMs`. What a broker does not serve is refused with UNSUPPORTED_VERSION.
 *
 * Most clients never ask for it, so it is loaded by the first call.
 */
export class Admin implements Nouns {
  readonly topics: Nouns['topics'];
  readonly configs: Nouns['configs'];
  readonly groups: Nouns['groups'];
  readonly offsets: Nouns['offsets'];
  readonly records: Nouns['records'];
  readonly cluster: Nouns['cluster'];
  readonly features: Nouns['features'];
  readonly users: Nouns['users'];
  readonly acls: Nouns['acls'];
  readonly quotas: Nouns['quotas'];
  readonly transactions: Nouns['transactions'];

  /** @internal */
  constructor(parts: AdminParts) {
    let nouns: Nouns | undefined;
    const all = async () => {
      const nounsOf = await loadNouns();
      return (nouns ??= nounsOf(parts));
    };
    this.topics = late('topics', all);
    this.configs = late('configs', all);
    this.groups = late('groups', all);
    this.offsets = late('offsets', all);
    this.records = late('records', all);
    this.cluster = late('cluster', all);
    this.features = late('features', all);
    this.users = late('users', all);
    this.acls = late('acls', all);
    this.quotas = late('quotas', all);
    this.transactions = late('transactions', all);
  }
}

/** All verbs answer later, so they can wait for what they are. */
function late<N extends keyof Nouns>(noun: N, all: () => Promise<Nouns>): Nouns[N] {
  return new Proxy({} as Nouns[N], {
    get: (_, verb) =>
      // Awaited by mistake, it is no promise.
      typeof verb === 'symbol' || verb === 'then'
        ? undefined
        : async (...given: unknown[]) => {
            const loaded = (await all())[noun] as unknown as Verbs;
            return loaded[verb]!(...given);
          },
  });
}
