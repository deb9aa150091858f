/** The bindings of wrangler.toml. */
declare namespace Cloudflare {
  interface Env {
    SHARDS: DurableObjectNamespace<import('./shard-object.ts').ShardObject>;
    /** Where closed segments go. */
    SEGMENTS?: R2Bucket;
    /** The cluster's name, and its id to clients; objects are named after it. */
    MILENA_CLUSTER?: string;
    /** Objects stay in it: another one is another cluster. */
    MILENA_JURISDICTION?: DurableObjectJurisdiction;
    /** Where objects are made if there is room, once and for all. */
    MILENA_LOCATION_HINT?: DurableObjectLocationHint;
    /** Broker settings, as in server.properties. */
    MILENA_SETTINGS?: string;
    /** A secret: with it nobody comes in who does not say who he is; tickets are signed with it. */
    MILENA_SECRET?: string;
    /** Origins of pages that may come in without a ticket, separated by commas; `*` is any. */
    MILENA_ORIGINS?: string;
    /** How long an append waits for those that come with it; 5 unless given. */
    MILENA_LINGER_MS?: string;
  }
}
