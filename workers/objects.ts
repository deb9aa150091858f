import type { Peers } from '../src/hosts/durable-object/shard-host.ts';
import type { LinkEvents, LinkGreeting, LinkSocket } from '../src/hosts/durable-object/remote-shards.ts';
import { settingsOf } from '../src/hosts/durable-object/settings.ts';
import { r2Storage } from '../src/hosts/durable-object/tiering/r2.ts';

const CLUSTER = 'milena';
const METADATA = 'm';
const LINGER_MS = '5';

export function clusterOf({ MILENA_CLUSTER = CLUSTER }: Cloudflare.Env): string {
  return MILENA_CLUSTER;
}

/** Where closed segments go, if anywhere. */
export function remoteOf({ SEGMENTS: bucket }: Cloudflare.Env): ReturnType<typeof r2Storage> | undefined {
  return bucket && r2Storage(bucket);
}

/** 0: nothing waits for anything, each request is a message, a row and a commit. */
export function lingerMsOf({ MILENA_LINGER_MS: ms = LINGER_MS }: Cloudflare.Env): number {
  return Number(ms);
}

let known: { text: string; settings: ReadonlyMap<string, string> } | undefined;

/** @throws {KafkaError} for a bad value. */
export function settings({
  MILENA_SETTINGS: text = '',
  SEGMENTS,
}: Cloudflare.Env): ReadonlyMap<string, string> {
  if (known?.text !== text)
    known = { text, settings: settingsOf(text, { isTiered: SEGMENTS !== undefined }) };
  return known.settings;
}

/** Objects are named `<cluster>/<shard>`. */
export function shardIn(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

/** Where objects may be, and are to be made: a jurisdiction holds, a hint is one. */
export function objectOf(env: Cloudflare.Env, shard: string) {
  const { SHARDS, MILENA_JURISDICTION: jurisdiction, MILENA_LOCATION_HINT: locationHint } = env;
  const shards = jurisdiction ? SHARDS.jurisdiction(jurisdiction) : SHARDS;
  return shards.getByName(`${clusterOf(env)}/${shard}`, locationHint ? { locationHint } : {});
}

/** How one object reaches the others. */
export function peersOf(env: Cloudflare.Env): Peers {
  return {
    ask: (shard, question) => objectOf(env, shard).ask(question) as ReturnType<Peers['ask']>,
    metadataFor: async (shard) => await objectOf(env, METADATA).metadataFor(shard),
    drop: async (shard) => await objectOf(env, shard).drop(),
    push: async (relay, pushed) => await objectOf(env, relay).push(pushed),
  };
}

/** Opens a gateway's link to a shard. */
export async function openLink(
  env: Cloudflare.Env,
  shard: string,
  { greeting, events }: { greeting: LinkGreeting; events: LinkEvents },
): Promise<LinkSocket> {
  const query = new URLSearchParams({ print: greeting.print, from: String(greeting.from) });
  const response = await objectOf(env, shard).fetch(`http://shard/?${query.toString()}`, {
    headers: { upgrade: 'websocket' },
  });
  const socket = response.webSocket;
  if (!socket) throw new Error(`shard ${shard} takes no links: ${response.status}`);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => {
    if (data instanceof ArrayBuffer) events.received(new Uint8Array(data));
  });
  socket.addEventListener('close', () => events.closed());
  socket.addEventListener('error', () => events.closed());
  socket.accept();
  return {
    send: (bytes) => socket.send(bytes),
    close: () => socket.close(1000, 'the client has gone'),
  };
}
