import { startGateway } from '../../broker/core.ts';
import type { ClientSocket, CloseReason, Connection } from '../../gateway/connection.ts';
import type { Address, Gateway } from '../../gateway/gateway.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { GatewayLimits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { METADATA_SHARD, type ShardId } from '../../ports/shard-link.ts';
import type { Codecs } from '../../records/codecs.ts';
import { type WebCrypto, webCrypto } from '../../sasl/web-crypto.ts';
import type { VerifyToken } from '../../sasl/oauth-bearer-server.ts';
import type { Authenticated } from '../../sasl/server.ts';
import { webClock } from '../web/clock.ts';
import { webRandom } from '../web/random.ts';
import { OneTimer } from './one-timer.ts';
import { placementOf } from './placement.ts';
import { RelayedShards } from './relay/relayed-shards.ts';
import { type OpenLink, RemoteShards } from './remote-shards.ts';
import { clusterIdOf, NODE_ID } from './settings.ts';
import type { SharedMetadata } from './shared-metadata.ts';
import { TieredShards, type TieredShardsParts } from './tiering/tiered-shards.ts';

/** The host's end of a client's byte stream, whatever carries it. */
export interface ClientStream {
  readonly clientHost: string;
  readonly address: Address;
  /** Who has come in, where that is clear before a byte is read. */
  readonly known?: Authenticated | undefined;
  readonly wantsLogin: boolean;
  /** @returns whether there is room for more: else `drained` is told. */
  write(chunks: readonly Uint8Array[]): boolean;
  pause(): void;
  resume(): void;
  close(reason: CloseReason | 'goaway'): void;
}

export interface ClientGatewayParts {
  cluster: string;
  settings: ReadonlyMap<string, string>;
  metadata: SharedMetadata;
  kernels: Kernels;
  codecs: Codecs;
  open: OpenLink;
  /** Where old segments are read, and what gateways of one isolate know of them; left out, there are none. */
  remote?: Pick<TieredShardsParts, 'storage' | 'reader' | 'places'> | undefined;
  verifyToken?: VerifyToken | undefined;
  /** See `RemoteShardsParts`. */
  joins?: boolean;
  clock?: Clock;
  random?: Random;
  /** Nothing more is to come of it. */
  onEnded?: () => void;
}

const MEGABYTE = 1024 * 1024;
/** A request of the platform's may make so many others; the client is asked to come back before that. */
const LINKS_MAX = 900;
const IDLE_SWEEP_MS = 30_000;
/** What a client may send before its gateway knows the metadata. */
const EARLY_MAX_BYTES = 4 * 1024 * 1024;
const AGAIN_MIN_MS = 100;
const AGAIN_MAX_MS = 1_000;
/** One client's gateway shares 128 MB with those of others. */
const LIMITS: Partial<GatewayLimits> = {
  inFlightBytesMax: 8 * MEGABYTE,
  unreadBytesMax: 16 * MEGABYTE,
  parkedFetchesMax: 4_096,
  fetchSessionsMax: 8,
  fetchSessionBytesMax: 2 * MEGABYTE,
  // An object is awake for ten seconds when it is asked.
  heartbeatLeaseMs: 60 * 60_000,
};
const CRYPTOGRAPHY = webCrypto(crypto as unknown as WebCrypto);

/**
 * The gateway of one client (ARCHITECTURE, decision 79): its links are its own. It begins once it has heard of the
 * metadata, and until then keeps what comes.
 */
export class ClientGateway {
  readonly gateway: Gateway;
  readonly shards: RemoteShards;
  readonly #relayed: RelayedShards;
  readonly #random: Random;
  readonly #clock: OneTimer;
  #stream: ClientStream | undefined;
  #connection: Connection | undefined;
  /** Come before the metadata. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #whenReady: (() => void)[] = [];
  #isReady = false;
  #isOver = false;
  #stopSweeping: () => void = () => {};
  #stopExpiry: () => void = () => {};
  readonly #onEnded: () => void;

  constructor(parts: ClientGatewayParts) {
    const {
      cluster,
      settings,
      metadata,
      kernels,
      codecs,
      open,
      verifyToken,
      clock = webClock,
      random = webRandom,
    } = parts;
    this.#onEnded = parts.onEnded ?? (() => {});
    this.#clock = new OneTimer(clock);
    this.#random = random;
    this.shards = new RemoteShards({
      open,
      greeting: (shard) => metadata.greeting(shard),
      reply: (reply) => this.#relayed.receive(reply),
      onMetadata: (frame) => {
        metadata.take(frame);
        this.shards.tellMetadata();
        this.#ready();
      },
      onClosed: (shard) => this.#linkClosed(shard),
      joins: parts.joins,
    });
    this.#relayed = new RelayedShards({
      link: this.shards,
      reply: (reply) => (tiered ? tiered.receive(reply) : this.gateway.receive(reply)),
      open: (relay, greeting, events) =>
        open(relay, { ...greeting, placement: placementOf(metadata.image, relay) }, events),
      random,
    });
    const tiered: TieredShards | undefined =
      parts.remote &&
      new TieredShards({
        ...parts.remote,
        cluster,
        link: this.#relayed,
        reply: (reply) => this.gateway.receive(reply),
        now: () => clock.now(),
      });
    this.gateway = startGateway(
      {
        identity: { clusterId: clusterIdOf(cluster), nodeId: NODE_ID, directoryId: '' },
        kernels,
        codecs,
        clock: this.#clock,
        random,
        staticConfigs: settings,
        limits: LIMITS,
        cryptography: CRYPTOGRAPHY,
        verifyToken,
      },
      { link: tiered ?? this.#relayed, image: metadata.image },
    );
    this.shards.open(METADATA_SHARD);
  }

  /** Serves one client, until its stream or this ends. */
  serve(stream: ClientStream): void {
    this.#stream = stream;
    this.whenReady(() => {
      if (this.#isOver) return;
      this.#connection = this.gateway.connect(this.#socketOf(stream));
      if (stream.known !== undefined) this.#letIn(this.#connection, stream.known);
      const early = this.#early;
      this.#early = [];
      for (const chunk of early) this.#connection.receive(chunk);
      this.#sweepLater();
    });
  }

  received(chunk: Uint8Array): void {
    if (this.#connection === undefined) this.#keepEarly(chunk);
    else this.#connection.receive(chunk);
    if (this.shards.opened + this.#relayed.opened <= LINKS_MAX || this.#isOver) return;
    this.#stream?.close('goaway');
    this.ended();
  }

  #keepEarly(chunk: Uint8Array): void {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes <= EARLY_MAX_BYTES) return;
    this.#stream?.close('memory');
    this.ended();
  }

  /** Until what it has shown is not good any more. */
  #letIn(connection: Connection, known: Authenticated): void {
    connection.knows(known);
    const { expiresAtMs } = known;
    if (expiresAtMs !== undefined)
      this.#stopExpiry = this.#clock.at(expiresAtMs, () => connection.close('login_expired'));
  }

  drained(): void {
    this.#connection?.drained();
  }

  /** The client has gone. Idempotent. */
  ended(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopSweeping();
    this.#stopExpiry();
    this.#connection?.ended();
    this.shards.close();
    this.#relayed.close();
    this.#clock.close();
    this.#onEnded();
  }

  /** Calls back once the metadata is known. */
  whenReady(callback: () => void): void {
    if (this.#isReady) callback();
    else this.#whenReady.push(callback);
  }

  #ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    const waiting = this.#whenReady;
    this.#whenReady = [];
    for (const callback of waiting) callback();
  }

  #socketOf(stream: ClientStream): ClientSocket {
    return {
      address: stream.address,
      clientHost: stream.clientHost,
      wantsLogin: stream.wantsLogin,
      readsInPlace: false,
      write: (chunks) => stream.write(chunks),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      close: (reason) => {
        stream.close(reason);
        // Its connection is about to end by itself.
        this.#connection = undefined;
        this.ended();
      },
    };
  }

  /** Without the metadata shard's link nobody tells of changes: it is opened again, not by all gateways at once. */
  #linkClosed(shard: ShardId): void {
    if (shard !== METADATA_SHARD || this.#isOver) return;
    const delayMs = AGAIN_MIN_MS + this.#random.next() * (AGAIN_MAX_MS - AGAIN_MIN_MS);
    this.#clock.at(this.#clock.now() + delayMs, () => {
      if (!this.#isOver) this.shards.open(METADATA_SHARD);
    });
  }

  #sweepLater(): void {
    this.#stopSweeping = this.#clock.at(this.#clock.now() + IDLE_SWEEP_MS, () => {
      this.gateway.closeIdle();
      if (!this.#isOver) this.#sweepLater();
    });
  }
}
