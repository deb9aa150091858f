import {
  knowsJurisdictions,
  type Namespace,
  placed,
  type Placement,
} from '../src/hosts/durable-object/placement.ts';
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
  SHARDS,
}: Cloudflare.Env): ReadonlyMap<string, string> {
  if (known?.text !== text) {
    const hasJurisdictions = knowsJurisdictions(SHARDS as unknown as Namespace<unknown>);
    known = { text, settings: settingsOf(text, { isTiered: SEGMENTS !== undefined, hasJurisdictions }) };
  }
  return known.settings;
}

/** Objects are named `<cluster>/<shard>`. */
export function shardIn(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

/** Where objects may be, and are to be made: a jurisdiction holds, a hint is one. The topic says, or the cluster. */
export function objectOf(env: Cloudflare.Env, shard: string, placement: Placement = {}) {
  const { SHARDS, MILENA_JURISDICTION: jurisdiction, MILENA_LOCATION_HINT: locationHint } = env;
  const namespace = SHARDS as unknown as Namespace<ReturnType<typeof SHARDS.getByName>>;
  return placed(namespace, `${clusterOf(env)}/${shard}`, placement, { jurisdiction, locationHint });
}

/** How one object reaches the others. */
export function peersOf(env: Cloudflare.Env): Peers {
  return {
    ask: (shard, question, placement) =>
      objectOf(env, shard, placement).ask(question) as ReturnType<Peers['ask']>,
    metadataFor: async (shard) => await objectOf(env, METADATA).metadataFor(shard),
    drop: async (shard, placement) => await objectOf(env, shard, placement).drop(),
    push: async (relay, pushed, placement) => await objectOf(env, relay, placement).push(pushed),
  };
}

/** Opens a gateway's link to a shard. */
export async function openLink(
  env: Cloudflare.Env,
  shard: string,
  { greeting, events }: { greeting: LinkGreeting; events: LinkEvents },
): Promise<LinkSocket> {
  const query = new URLSearchParams({ print: greeting.print, from: String(greeting.from) });
  const response = await objectOf(env, shard, greeting.placement).fetch(`http://shard/?${query.toString()}`, {
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
