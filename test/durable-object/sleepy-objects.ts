import type { LinkEvents, LinkGreeting, LinkSocket } from '../../src/hosts/durable-object/remote-shards.ts';
import type { ObjectSocket } from '../../src/hosts/durable-object/links.ts';
import type { ObjectTime } from '../../src/hosts/durable-object/object-clock.ts';
import type { ObjectStorage } from '../../src/hosts/durable-object/object-state.ts';
import { type Peers, ShardHost } from '../../src/hosts/durable-object/shard-host.ts';
import type { NextFetch, Pushed } from '../../src/hosts/durable-object/relay/frames.ts';
import { relayed } from '../../src/hosts/durable-object/relay/names.ts';
import { RelayHost } from '../../src/hosts/durable-object/relay/relay-host.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import type { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { Databases } from './node-home.ts';
import { NodeSqlite } from './node-sqlite.ts';

/** Nothing has come and no timer is set for so long, and the object may sleep. Until then it is billed. */
const IDLE_MS = 10_000;
export const CLUSTER = 'idle';

class Storage extends NodeSqlite implements ObjectStorage {
  readonly #onAlarm: (atMs: number) => void;
  #alarmMs: number | null = null;

  constructor(path: string, onAlarm: (atMs: number) => void) {
    super(path);
    this.#onAlarm = onAlarm;
  }

  async getAlarm(): Promise<number | null> {
    return this.#alarmMs;
  }
  setAlarm(atMs: number): void {
    this.#alarmMs = atMs;
    this.#onAlarm(atMs);
  }
  /** The alarm comes, unless another took its place. */
  take(atMs: number): boolean {
    if (this.#alarmMs !== atMs) return false;
    this.#alarmMs = null;
    return true;
  }
  async deleteAll(): Promise<void> {
    throw new Error('nothing is deleted here');
  }
}

/**
 * An object as Cloudflare says it lives, in virtual time: each message, call, alarm and timer of its own keeps it
 * awake, and for ten seconds after the last of them it is; a timer that is set keeps it awake until it comes. Asleep,
 * its memory is gone.
 */
export class SleepyObject {
  readonly #shard: string;
  readonly #storage: Storage;
  readonly #world: SleepyObjects;
  /** With what tells its other end that it is closed. */
  readonly #sockets = new Map<ObjectSocket, () => void>();
  #host: Promise<ShardHost | RelayHost> | undefined;
  #awakeSinceMs = 0;
  #awakeMs = 0;
  #lastMs = 0;
  #timers = 0;
  #underWay = 0;
  wakes = 0;
  events = 0;

  constructor(shard: string, path: string, world: SleepyObjects) {
    this.#shard = shard;
    this.#world = world;
    this.#storage = new Storage(path, (atMs) => this.#alarmAt(atMs));
  }

  /** Up to now. */
  get awakeMs(): number {
    return this.#awakeMs + (this.#host === undefined ? 0 : this.#now - this.#awakeSinceMs);
  }

  get isAwake(): boolean {
    return this.#host !== undefined;
  }

  get #now(): number {
    return this.#world.clock.now();
  }

  event<T>(work: (host: ShardHost) => T | Promise<T>): Promise<T> {
    return this.#event((host) => work(host as ShardHost));
  }

  push(pushed: Pushed | undefined): Promise<NextFetch | undefined> {
    return this.#event((host) => (host as RelayHost).push(structuredClone(pushed)));
  }

  /** Its memory and its sockets are gone. */
  kill(): void {
    this.#host = undefined;
    for (const closed of this.#sockets.values()) closed();
    this.#sockets.clear();
  }

  async #event<T>(work: (host: ShardHost | RelayHost) => T | Promise<T>): Promise<T> {
    this.events++;
    if (this.#host === undefined) {
      this.wakes++;
      this.#awakeSinceMs = this.#now;
      this.#host = this.#wake();
    }
    this.#underWay++;
    try {
      return await work(await this.#host);
    } finally {
      this.#underWay--;
      this.#stirred();
    }
  }

  #stirred(): void {
    this.#lastMs = this.#now;
    this.#world.clock.at(this.#now + IDLE_MS, () => this.#maySleep());
  }

  #maySleep(): void {
    if (this.#host === undefined || this.#timers > 0 || this.#underWay > 0) return;
    if (this.#now - this.#lastMs < IDLE_MS) return;
    this.#awakeMs += this.#now - this.#awakeSinceMs;
    this.#host = undefined;
  }

  #alarmAt(atMs: number): void {
    this.#world.clock.at(atMs, () => {
      if (this.#storage.take(atMs)) void this.event((host) => host.alarm());
    });
  }

  /** Timers of this instance. */
  #time(): ObjectTime {
    const { clock } = this.#world;
    return {
      now: () => clock.now(),
      after: (delayMs, callback) => {
        this.#timers++;
        let isSet = true;
        const over = () => {
          if (isSet) this.#timers--;
          isSet = false;
        };
        const cancel = clock.at(clock.now() + delayMs, () => {
          over();
          callback();
          this.#stirred();
        });
        return () => {
          over();
          cancel();
          this.#maySleep();
        };
      },
    };
  }

  async #wake(): Promise<ShardHost | RelayHost> {
    const of = relayed(this.#shard)?.shard;
    const follow = (next: NextFetch) =>
      this.#world.object(of ?? '').event((host) => host.follow(this.#shard, next));
    const sockets = this.#sockets.keys();
    if (of !== undefined) return new RelayHost({ follow, sockets, time: this.#time() });
    const kernels = await loadKernels();
    const host = new ShardHost({
      shard: this.#shard,
      cluster: CLUSTER,
      storage: this.#storage,
      sockets,
      peers: this.#world.peers,
      kernels,
      codecs: nodeCodecs(kernels),
      settings: this.#world.settings,
      lingerMs: 5,
      onWarning: (message) => this.#world.warnings.push(message),
      time: this.#time(),
    });
    await host.start();
    return host;
  }

  async link(greeting: LinkGreeting, events: LinkEvents): Promise<LinkSocket> {
    let attachment: unknown = null;
    const socket: ObjectSocket = {
      send: (bytes) => queueMicrotask(() => events.received(bytes)),
      close: () => queueMicrotask(() => events.closed()),
      serializeAttachment: (value) => (attachment = structuredClone(value)),
      deserializeAttachment: () => structuredClone(attachment),
    };
    await this.#event((host) => {
      this.#sockets.set(socket, () => queueMicrotask(() => events.closed()));
      host.accept(socket, greeting);
    });
    return {
      send: (bytes) => void this.#event((host) => host.received(socket, bytes)),
      close: () => {
        this.#sockets.delete(socket);
        void this.#event((host) => host.closed(socket));
      },
    };
  }
}

/** Objects that know each other. */
export class SleepyObjects {
  readonly clock: VirtualClock;
  readonly settings: ReadonlyMap<string, string>;
  readonly warnings: string[] = [];
  readonly #databases: Databases;
  readonly all = new Map<string, SleepyObject>();

  constructor(clock: VirtualClock, databases: Databases, settings: ReadonlyMap<string, string>) {
    this.clock = clock;
    this.#databases = databases;
    this.settings = settings;
  }

  object(shard: string): SleepyObject {
    let object = this.all.get(shard);
    if (object === undefined) {
      object = new SleepyObject(shard, this.#databases.path(), this);
      this.all.set(shard, object);
    }
    return object;
  }

  readonly peers: Peers = {
    ask: (shard, question) => this.object(shard).event((host) => host.answer(question)),
    metadataFor: (shard) => this.object('m').event((host) => host.metadataFor(shard)),
    push: (relay, pushed) => this.object(relay).push(pushed),
    drop: (shard) => this.object(shard).event((host) => host.drop()),
  };
}
