import { DurableObject } from 'cloudflare:workers';
import { webCodecs } from '../src/hosts/durable-object/codecs.ts';
import { type Question, ShardHost } from '../src/hosts/durable-object/shard-host.ts';
import { loadKernels } from '../src/kernels/load.ts';
import { clusterOf, lingerMsOf, peersOf, remoteOf, settings, shardIn } from './objects.ts';

/** One shard: its log lies in this object's own database. The object's name says which. */
export class ShardObject extends DurableObject {
  /** Undefined in an object that has no name: tests have such. */
  #host: ShardHost | undefined;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    const { name } = ctx.id;
    if (name !== undefined) void ctx.blockConcurrencyWhile(() => this.#start(name));
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
    if (this.#host === undefined) throw new Error('an object without a name is no shard');
    return this.#host;
  }

  /** A gateway's link: its WebSocket. */
  override fetch(request: Request): Response {
    const { searchParams } = new URL(request.url);
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.ctx.acceptWebSocket(ours);
    this.host.accept(ours, {
      print: searchParams.get('print') ?? '',
      from: Number(searchParams.get('from') ?? 0),
    });
    return new Response(null, { status: 101, webSocket: theirs });
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    if (typeof message !== 'string') this.host.received(socket, new Uint8Array(message));
  }

  override webSocketClose(socket: WebSocket): void {
    this.host.closed(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.host.closed(socket);
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
}
