import { ClientGateway } from '../src/hosts/durable-object/client-gateway.ts';
import { webCodecs } from '../src/hosts/durable-object/codecs.ts';
import { EdgeMetrics } from '../src/hosts/durable-object/edge-metrics.ts';
import { SharedMetadata } from '../src/hosts/durable-object/shared-metadata.ts';
import { ticketsOf, type Tickets } from '../src/hosts/durable-object/tickets.ts';
import { loadKernels } from '../src/kernels/load.ts';
import { clusterOf, lingerMsOf, openLink, remoteOf, settings } from './objects.ts';
import { RemoteReader } from '../src/hosts/durable-object/tiering/remote-reader.ts';
import { TieredPlaces } from '../src/hosts/durable-object/tiering/tiered-places.ts';

/** What gateways of one isolate share: data, no socket and no promise. */
let metadata: SharedMetadata | undefined;
const tiered = { reader: new RemoteReader(), places: new TieredPlaces() };
export const metrics = new EdgeMetrics();

/** A gateway of its own for whoever asks: one request may not use another's sockets. */
export async function newGateway(env: Cloudflare.Env): Promise<ClientGateway> {
  const kernels = await loadKernels();
  const cluster = clusterOf(env);
  metadata ??= new SharedMetadata(cluster);
  const tickets = secretOf(env);
  const storage = remoteOf(env);
  const client = new ClientGateway({
    cluster,
    metadata,
    kernels,
    codecs: webCodecs(kernels),
    settings: settings(env),
    open: (shard, greeting, events) => openLink(env, shard, { greeting, events }),
    remote: storage && { ...tiered, storage },
    joins: lingerMsOf(env) > 0,
    verifyToken: tickets && ((token) => tickets.verify(token)),
    onEnded: () => metrics.closed(client.gateway),
  });
  metrics.opened(client.gateway);
  return client;
}

let known: { secret: string; tickets: Tickets } | undefined;

/** Undefined where nobody has to say who he is. @throws Error for people: the secret is too short. */
export function secretOf({ MILENA_SECRET: secret = '' }: Cloudflare.Env): Tickets | undefined {
  if (secret === '') return undefined;
  if (known?.secret !== secret) known = { secret, tickets: ticketsOf(secret) };
  return known.tickets;
}
