/** The bindings of wrangler.toml. */
declare namespace Cloudflare {
  interface Env {
    SHARDS: DurableObjectNamespace<import('./shard-object.ts').ShardObject>;
  }
}
