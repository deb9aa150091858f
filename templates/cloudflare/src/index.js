// The Worker and its object class, whole: what they do is set in wrangler.toml.
export { default, ShardObject } from 'milena/cloudflare';
