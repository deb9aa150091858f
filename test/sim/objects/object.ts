import { type ObjectTime } from '../../../src/hosts/durable-object/object-clock.ts';
import { relayed } from '../../../src/hosts/durable-object/relay/names.ts';
import { RelayHost } from '../../../src/hosts/durable-object/relay/relay-host.ts';
import type { NextFetch } from '../../../src/hosts/durable-object/relay/frames.ts';
import { type Peers, ShardHost } from '../../../src/hosts/durable-object/shard-host.ts';
import { simCodecs } from '../../../src/hosts/sim/codecs.ts';
import type { SeededRandom } from '../../../src/hosts/sim/random.ts';
import type { Scheduler } from '../../../src/hosts/sim/scheduler.ts';
import type { Kernels } from '../../../src/kernels/kernels.ts';
import type { RemoteStorage } from '../../../src/ports/remote-storage.ts';
import { ServerSocket } from './channel.ts';
import { Replaced, SimStorage } from './storage.ts';

export interface ObjectParts {
  scheduler: Scheduler;
  random: SeededRandom;
  kernels: Kernels;
  settings: ReadonlyMap<string, string>;
  /** Of one instance: it reaches nobody once it is gone. */
  peersOf: (instance: Instance) => Peers;
  /** A relay wants what follows. */
  follow: (instance: Instance, shard: string, next: NextFetch) => Promise<boolean>;
  remoteOf: (instance: Instance) => RemoteStorage;
  onFailure: (error: unknown) => void;
}

const START_MS: [least: number, most: number] = [1, 20];
const IDLE_MS = 10_000;
/** So long a replaced instance is not told. */
const STALE_MS: [least: number, most: number] = [50, 3_000];

/** What an object is; whoever calls it knows which. */
export type Host = ShardHost | RelayHost;

/** One life of an object. */
export class Instance implements ObjectTime {
  readonly sockets = new Set<ServerSocket>();
  /** Its memory is gone: nothing it does reaches anybody. */
  isGone = false;
  /** Another is there by now, and the platform lets it have the storage. */
  isReplaced = false;
  host: Host | undefined;
  ready: Promise<void> = Promise.resolve();
  calls = 0;
  lastEventMs: number;
  timers = 0;
  readonly object: SimObject;

  constructor(object: SimObject) {
    this.object = object;
    this.lastEventMs = object.parts.scheduler.nowMs;
  }

  get isCurrent(): boolean {
    return !this.isGone && !this.isReplaced;
  }

  now(): number {
    return this.object.parts.scheduler.now();
  }

  after(delayMs: number, callback: () => void): () => void {
    let isOver = false;
    this.timers++;
    const end = () => {
      if (isOver) return false;
      isOver = true;
      this.timers--;
      return true;
    };
    const cancel = this.object.parts.scheduler.after(delayMs, 'timer of an object', () => {
      if (end()) this.run(() => callback());
    });
    return () => {
      cancel();
      end();
    };
  }

  /** One event. What throws because the instance is not the object's any more, ends it. */
  run(work: (host: Host) => unknown): void {
    const { host } = this;
    if (this.isGone || host === undefined) return;
    this.lastEventMs = this.object.parts.scheduler.nowMs;
    const failed = (error: unknown) => this.#failed(error);
    try {
      const done = work(host);
      if (!(done instanceof Promise)) return;
      this.calls++;
      done.then(
        () => void this.calls--,
        (error) => {
          this.calls--;
          failed(error);
        },
      );
    } catch (error) {
      failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.isGone) return;
    if (this.isReplaced || error instanceof Replaced) return this.object.end(this);
    this.object.parts.onFailure(error);
  }
}

/** One object: its storage and its alarm stay, its instances come and go. */
export class SimObject {
  readonly shard: string;
  readonly parts: ObjectParts;
  readonly storage: SimStorage;
  #instance: Instance | undefined;
  #cancelAlarm: () => void = () => {};
  /** What sleeps behind them. */
  #sleeping: ServerSocket[] = [];
  losesAlarm = false;
  doublesAlarm = false;
  readonly counts = { wakes: 0, sleeps: 0, alarms: 0 };

  constructor(shard: string, parts: ObjectParts) {
    this.shard = shard;
    this.parts = parts;
    this.storage = new SimStorage(parts.scheduler, parts.random);
    this.storage.onAlarm = () => this.#setAlarm();
  }

  get instance(): Instance | undefined {
    return this.#instance;
  }

  /** Hands an event to the instance there is, or wakes one. @param lost what becomes of it when that dies before. */
  deliver(work: (host: Host, instance: Instance) => unknown, lost: () => void = () => {}): void {
    const instance = (this.#instance ??= this.#wake());
    instance.ready.then(
      () => (instance.isGone ? lost() : instance.run((host) => work(host, instance))),
      () => lost(),
    );
  }

  #wake(): Instance {
    const { scheduler, random, kernels, settings, peersOf, remoteOf } = this.parts;
    const instance = new Instance(this);
    this.counts.wakes++;
    for (const socket of this.#sleeping) instance.sockets.add(socket);
    this.#sleeping = [];
    instance.ready = (async () => {
      await scheduler.sleep(random.between(...START_MS));
      if (instance.isGone) throw new Replaced('gone before it began');
      const of = relayed(this.shard)?.shard;
      if (of !== undefined) {
        const follow = (next: NextFetch) => this.parts.follow(instance, of, next);
        instance.host = new RelayHost({ follow, sockets: instance.sockets, time: instance });
        return;
      }
      const host = new ShardHost({
        shard: this.shard,
        cluster: 'sim',
        storage: this.storage.viewOf(() => instance.isCurrent),
        remote: remoteOf(instance),
        time: instance,
        random,
        sockets: instance.sockets,
        peers: peersOf(instance),
        kernels,
        codecs: simCodecs(kernels),
        settings,
        lingerMs: 5,
        onWarning: (message) => scheduler.note(`warning: ${message}`),
      });
      instance.host = host;
      await host.start();
    })();
    instance.ready.catch((error: unknown) => {
      if (!instance.isGone && !(error instanceof Replaced)) this.parts.onFailure(error);
    });
    return instance;
  }

  /** The instance is gone now, and the platform knows: its sockets are closed. */
  evict(): void {
    const instance = this.#instance;
    if (instance === undefined) return this.#closeSleeping();
    this.storage.crash();
    this.end(instance);
  }

  end(instance: Instance): void {
    if (instance.isGone) return;
    instance.isGone = true;
    if (this.#instance === instance) this.#instance = undefined;
    for (const socket of instance.sockets) socket.close();
  }

  /** Another instance takes over; this one is not told for a while, and its clients neither. */
  replace(): void {
    const instance = this.#instance;
    if (instance === undefined) return;
    const { scheduler, random } = this.parts;
    // What it wrote and was not confirmed is not the next one's.
    this.storage.crash();
    instance.isReplaced = true;
    this.#instance = undefined;
    scheduler.after(random.between(...STALE_MS), 'a stale instance ends', () => this.end(instance));
    this.deliver(() => {});
  }

  /** Lets it sleep if nothing keeps it awake, as the platform does after ten idle seconds. */
  maybeSleep(isForced = false): void {
    const instance = this.#instance;
    if (instance?.host === undefined) return;
    const isIdle = isForced || this.parts.scheduler.nowMs - instance.lastEventMs >= IDLE_MS;
    if (!isIdle || instance.timers > 0 || instance.calls > 0 || !this.storage.isIdle) return;
    instance.isGone = true;
    this.#instance = undefined;
    this.#sleeping = [...instance.sockets].filter(({ isClosed }) => !isClosed);
    this.counts.sleeps++;
  }

  /** A gateway's end was closed. */
  closed(socket: ServerSocket): void {
    socket.isClosed = true;
    this.#sleeping = this.#sleeping.filter((other) => other !== socket);
    const { instance } = this;
    if (!instance?.sockets.delete(socket)) return;
    instance.ready.then(
      () => instance.run((host) => host.closed(socket)),
      () => {},
    );
  }

  #closeSleeping(): void {
    for (const socket of this.#sleeping) socket.close();
    this.#sleeping = [];
  }

  #setAlarm(): void {
    const { scheduler } = this.parts;
    this.#cancelAlarm();
    const { alarmAtMs } = this.storage;
    if (alarmAtMs === null) return;
    this.#cancelAlarm = scheduler.at(alarmAtMs, () => this.#ring());
  }

  #ring(): void {
    this.storage.alarmAtMs = null;
    if (this.losesAlarm) {
      this.losesAlarm = false;
      return;
    }
    this.counts.alarms++;
    const times = this.doublesAlarm ? 2 : 1;
    this.doublesAlarm = false;
    // At least once: who dies meanwhile is rung again.
    for (let time = 0; time < times; time++)
      this.deliver(
        (host) => host instanceof ShardHost && host.alarm(),
        () => this.parts.scheduler.after(2_000, 'alarm again', () => this.#ring()),
      );
  }
}
