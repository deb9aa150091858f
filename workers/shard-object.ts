import { DurableObject } from 'cloudflare:workers';
import { webCodecs } from '../src/hosts/durable-object/codecs.ts';
import type { NextFetch, Pushed } from '../src/hosts/durable-object/relay/frames.ts';
import { relayed } from '../src/hosts/durable-object/relay/names.ts';
import { RelayHost } from '../src/hosts/durable-object/relay/relay-host.ts';
import { type Question, ShardHost } from '../src/hosts/durable-object/shard-host.ts';
import { loadKernels } from '../src/kernels/load.ts';
import { clusterOf, lingerMsOf, objectOf, peersOf, remoteOf, settings, shardIn } from './objects.ts';

/** One shard: its log lies in this object's own database; or a relay of one. The object's name says which. */
export class ShardObject extends DurableObject {
  /** Undefined in an object that has no name: tests have such. */
  #host: ShardHost | undefined;
  #relay: RelayHost | undefined;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    const { name } = ctx.id;
    if (name === undefined) return;
    const of = relayed(shardIn(name))?.shard;
    if (of === undefined) void ctx.blockConcurrencyWhile(() => this.#start(name));
    else this.#relay = this.#newRelay(shardIn(name), of);
  }

  #newRelay(relay: string, shard: string): RelayHost {
    const { ctx, env } = this;
    const { jurisdiction } = ctx.id;
    const follow = async (next: NextFetch) =>
      await objectOf(env, shard, { jurisdiction }).follow(relay, next);
    return new RelayHost({ sockets: ctx.getWebSockets(), follow });
  }

  async #start(name: string): Promise<void> {
    const { ctx, env } = this;
    const kernels = await loadKernels();
    const host = new ShardHost({
      shard: shardIn(name),
      cluster: clusterOf(env),
      storage: ctx.storage,
      remote: remoteOf(env),
      lingerMs: lingerMsOf(env),
      sockets: ctx.getWebSockets(),
      peers: peersOf(env),
      kernels,
      codecs: webCodecs(kernels),
      settings: settings(env),
      onWarning: (message) => console.warn(message),
    });
    await host.start();
    this.#host = host;
  }

  get host(): ShardHost {
    if (this.#host === undefined) throw new Error('this object is no shard');
    return this.#host;
  }

  /** What gateways have links to. */
  get #linked(): ShardHost | RelayHost {
    return this.#relay ?? this.host;
  }

  /** A gateway's link: its WebSocket. */
  override fetch(request: Request): Response {
    const { searchParams } = new URL(request.url);
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.ctx.acceptWebSocket(ours);
    this.#linked.accept(ours, {
      print: searchParams.get('print') ?? '',
      from: Number(searchParams.get('from') ?? 0),
    });
    return new Response(null, { status: 101, webSocket: theirs });
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    if (typeof message !== 'string') this.#linked.received(socket, new Uint8Array(message));
  }

  override webSocketClose(socket: WebSocket): void {
    this.#linked.closed(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#linked.closed(socket);
  }

  override alarm(): Promise<void> {
    return this.host.alarm();
  }

  ask(question: Question) {
    return this.host.answer(question);
  }

  metadataFor(shard: string): readonly Uint8Array[] {
    return this.host.metadataFor(shard);
  }

  counts() {
    return this.host.counts;
  }

  drop(): Promise<void> {
    return this.host.drop();
  }

  /** Of a relay to its shard. */
  follow(relay: string, next: NextFetch): Promise<boolean> {
    return this.host.follow(relay, next);
  }

  /** Of a shard to its relay. */
  async push(pushed: Pushed | undefined): Promise<NextFetch | undefined> {
    return this.#relay?.push(pushed);
  }
}
