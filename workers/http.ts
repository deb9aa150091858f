import { postRecord } from '../src/hosts/durable-object/post-record.ts';
import { loadKernels } from '../src/kernels/load.ts';
import { metrics, newGateway, secretOf } from './gateways.ts';
import { clusterOf, objectOf } from './objects.ts';
import { json, plain } from './plain.ts';
import { mayAsk } from './websocket.ts';
import { whoAsks } from './who.ts';

const METADATA = 'm';
const TOPIC_PATH = /^\/topics\/(?<topic>[^/]+)$/;
const SHARD = /^(?:m|[gst]\/\d{1,5}|d\/[\w-]{22}\/\d{1,9})$/;
const JURISDICTION = /^(?:eu|fedramp|us)$/;
const VALUE_MAX_BYTES = 1024 * 1024;
const SHARD_FAMILIES = [
  ['rowsWritten', 'rows_written_total', 'counter', 'Rows as they are billed, since the object woke.'],
  ['transactions', 'transactions_total', 'counter', 'Group commits, since the object woke.'],
  ['storedBytes', 'stored_bytes', 'gauge', 'Bytes in the object, which holds 10 GB.'],
  ['remoteSegments', 'remote_segments', 'gauge', 'Segments in R2 alone.'],
  ['remoteBytes', 'remote_bytes', 'gauge', 'Bytes of batches in R2 alone.'],
] as const;
const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * `/livez`: this Worker runs. `/readyz`: the object that holds the metadata answers. `/metrics`: what this isolate has
 * counted. `POST /topics/T`: writes the body as one record (`?key=`, `?partition=`), for hooks and `sendBeacon`.
 */
export async function answerHttp(request: Request, env: Cloudflare.Env): Promise<Response> {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case '/livez':
      return plain(200, 'ok');
    case '/readyz':
      return isReady(env);
    case '/metrics':
      return metricsPage(request, env);
    default:
  }
  const topic = TOPIC_PATH.exec(pathname)?.groups?.['topic'];
  if (topic === undefined)
    return plain(
      404,
      'not found; here are /livez, /readyz, /metrics, POST /topics/… and, for WebSockets, /kafka',
    );
  return post(request, env, decodeURIComponent(topic));
}

/** Of this isolate; with `?shard=` of one object, which that wakes: `&jurisdiction=` where its topic has one. */
async function metricsPage(request: Request, env: Cloudflare.Env): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const shard = searchParams.get('shard');
  const jurisdiction = searchParams.get('jurisdiction');
  if (shard === null) return plain(200, metrics.text(), EXPOSITION_TYPE);
  if (!SHARD.test(shard)) return plain(400, 'a shard is m, g/N, t/N or d/TOPIC-ID/PARTITION');
  const who = await whoAsks(request, env);
  if (who === false || (who === undefined && secretOf(env) !== undefined)) return plain(401, 'show a ticket');
  if (jurisdiction !== null && !JURISDICTION.test(jurisdiction))
    return plain(400, 'a jurisdiction is eu, fedramp or us');
  const counts = await objectOf(env, shard, jurisdiction === null ? {} : { jurisdiction }).counts();
  const labels = `{cluster="${clusterOf(env)}",shard="${shard}"}`;
  const lines = SHARD_FAMILIES.flatMap(([count, name, type, help]) => [
    `# HELP milena_shard_${name} ${help}`,
    `# TYPE milena_shard_${name} ${type}`,
    `milena_shard_${name}${labels} ${counts[count]}`,
  ]);
  return plain(200, lines.join('\n'), EXPOSITION_TYPE);
}

async function isReady(env: Cloudflare.Env): Promise<Response> {
  try {
    await objectOf(env, METADATA).counts();
    return plain(200, 'ok');
  } catch (error) {
    return plain(503, `the metadata object does not answer: ${String(error)}`);
  }
}

async function post(request: Request, env: Cloudflare.Env, topic: string): Promise<Response> {
  if (request.method !== 'POST') return json(405, { error: 'POST writes a record' }, { allow: 'POST' });
  if (!mayAsk(request, env)) return json(403, { error: 'pages of this origin may not use this cluster' });
  const who = await whoAsks(request, env);
  if (who === false || (who === undefined && secretOf(env) !== undefined))
    return json(401, { error: 'show a ticket' }, { 'www-authenticate': 'Bearer' });
  const { searchParams } = new URL(request.url);
  const partition = searchParams.get('partition');
  if (partition !== null && !/^\d{1,9}$/.test(partition))
    return json(400, { error: 'a partition is a number' });
  const value = await bodyOf(request);
  if (value === undefined) return json(413, { error: `a record here has at most ${VALUE_MAX_BYTES} bytes` });
  const gateway = await newGateway(env);
  try {
    const key = searchParams.get('key') ?? undefined;
    const clientHost = `/${request.headers.get('cf-connecting-ip') ?? '0.0.0.0'}`;
    const to = { topic, key, ...(partition !== null && { partition: Number(partition) }) };
    const { status, body } = await postRecord(gateway, await loadKernels(), {
      ...to,
      value,
      who,
      clientHost,
    });
    return json(status, body, { 'access-control-allow-origin': request.headers.get('origin') ?? '*' });
  } finally {
    gateway.ended();
  }
}

/** Undefined where it is too much, as far as it was read. */
async function bodyOf(request: Request): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > VALUE_MAX_BYTES) return undefined;
    chunks.push(chunk as Uint8Array);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
