import type { AdminParts } from './asking.ts';
import type { Nouns } from './nouns.ts';

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

  /** @internal */
  constructor(parts: AdminParts) {
    let loading: Promise<Nouns> | undefined;
    const load = async () => {
      loading ??= import('./nouns.ts').then(({ nounsOf }) => nounsOf(parts));
      // What could not be loaded is tried again by the next call.
      return loading.catch((error) => {
        loading = undefined;
        throw error;
      });
    };
    this.topics = onDemand('topics', load);
    this.configs = onDemand('configs', load);
    this.groups = onDemand('groups', load);
    this.offsets = onDemand('offsets', load);
    this.records = onDemand('records', load);
    this.cluster = onDemand('cluster', load);
    this.features = onDemand('features', load);
    this.users = onDemand('users', load);
    this.acls = onDemand('acls', load);
  }
}

/** All verbs answer later, so they can wait for what they are. */
function onDemand<N extends keyof Nouns>(noun: N, load: () => Promise<Nouns>): Nouns[N] {
  return new Proxy({} as Nouns[N], {
    get: (_, verb) =>
      // Awaited by mistake, it is no promise.
      typeof verb === 'symbol' || verb === 'then'
        ? undefined
        : async (...given: unknown[]) => {
            const loaded = (await load())[noun] as unknown as Verbs;
            return loaded[verb]!(...given);
          },
  });
}
