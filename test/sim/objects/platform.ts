import type { RelayHost } from '../../../src/hosts/durable-object/relay/relay-host.ts';
import type { Peers, ShardHost } from '../../../src/hosts/durable-object/shard-host.ts';
import { ClientGateway } from '../../../src/hosts/durable-object/client-gateway.ts';
import type {
  LinkEvents,
  LinkGreeting,
  LinkSocket,
} from '../../../src/hosts/durable-object/remote-shards.ts';
import { settingsOf } from '../../../src/hosts/durable-object/settings.ts';
import { SharedMetadata } from '../../../src/hosts/durable-object/shared-metadata.ts';
import { RemoteReader } from '../../../src/hosts/durable-object/tiering/remote-reader.ts';
import { TieredPlaces } from '../../../src/hosts/durable-object/tiering/tiered-places.ts';
import { simCodecs } from '../../../src/hosts/sim/codecs.ts';
import { Link, type LinkListener, type Served } from '../../../src/hosts/sim/network.ts';
import type { SeededRandom } from '../../../src/hosts/sim/random.ts';
import type { Scheduler } from '../../../src/hosts/sim/scheduler.ts';
import type { Kernels } from '../../../src/kernels/kernels.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { RemoteStorage } from '../../../src/ports/remote-storage.ts';
import { MemoryRemote } from '../../tiering/memory-remote.ts';
import { Channel, ServerSocket } from './channel.ts';
import type { ObjectBug, ObjectFault } from './faults.ts';
import { type Host, type Instance, SimObject } from './object.ts';

export interface PlatformParts {
  scheduler: Scheduler;
  random: SeededRandom;
  kernels: Kernels;
  bug: ObjectBug | undefined;
  onFailure: (error: unknown) => void;
}

/** Days in a minute: small segments, and hardly any of them stays in an object. */
const SETTINGS = `
offsets.topic.num.partitions=2
group.initial.rebalance.delay.ms=300
log.local.retention.bytes=2000
log.segment.delete.delay.ms=1000
log.retention.ms=-1
`;
const SEGMENT_BYTES = '16000';
const METADATA = 'm';
const ISOLATES = 2;
const SLEEP_LOOK_MS = 500;

/** What gateways of one Worker's isolate share. */
class Isolate {
  readonly metadata = new SharedMetadata('sim');
  readonly reader = new RemoteReader();
  readonly places = new TieredPlaces();
}

/** Durable Objects, Workers and R2, as a seed has them. */
export class Platform {
  readonly remote: MemoryRemote;
  readonly #parts: PlatformParts;
  readonly #objects = new Map<string, SimObject>();
  readonly #settings: ReadonlyMap<string, string>;
  readonly #isolates: Isolate[] = Array.from({ length: ISOLATES }, () => new Isolate());
  readonly #links = new Set<Link>();
  #isRemoteDown = false;
  #isFlaky = false;
  #isSlow = false;

  constructor(parts: PlatformParts) {
    this.#parts = parts;
    this.remote = new MemoryRemote(() => parts.scheduler.now());
    this.#settings = new Map([
      ...settingsOf(SETTINGS, { isTiered: true }),
      ['log.segment.bytes', SEGMENT_BYTES],
      // Readers wait at relays, or at leaders.
      ['milena.relay.readers', parts.random.chance(0.5) ? '0' : '-1'],
    ]);
    this.#sleepLater();
  }

  get objects(): readonly SimObject[] {
    return [...this.#objects.values()];
  }

  object(shard: string): SimObject {
    const known = this.#objects.get(shard);
    if (known !== undefined) return known;
    const { scheduler, random, kernels, onFailure, bug } = this.#parts;
    const object = new SimObject(shard, {
      scheduler,
      random,
      kernels,
      settings: this.#settings,
      peersOf: (instance) => this.#peersOf(instance),
      follow: (instance, leader, next) =>
        this.#callsOf(instance)(leader, (host) => (host as ShardHost).follow(shard, structuredClone(next))),
      remoteOf: (instance) => this.#remoteOf(instance.object, () => !instance.isGone),
      onFailure,
    });
    object.storage.hasNoGate = bug === 'no-gate';
    object.storage.slowness = this.#isSlow ? 20 : 1;
    this.#objects.set(shard, object);
    return object;
  }

  /** A client comes in: a gateway of its own, in some isolate. */
  connect(listener: LinkListener): Link {
    const { scheduler, random, kernels } = this.#parts;
    const isolate = random.pick(this.#isolates);
    let isOver = false;
    const clock: Clock = {
      now: () => scheduler.now(),
      at: (atMs, callback) => scheduler.at(atMs, () => !isOver && callback()),
    };
    const gateway = new ClientGateway({
      cluster: 'sim',
      settings: this.#settings,
      metadata: isolate.metadata,
      kernels,
      codecs: simCodecs(kernels),
      open: (shard, greeting, events) => this.#open(shard, { greeting, events }),
      remote: {
        storage: this.#remoteOf(undefined, () => !isOver),
        reader: isolate.reader,
        places: isolate.places,
      },
      clock,
      random,
      onEnded: () => {
        isOver = true;
        this.#links.delete(link);
      },
    });
    const served: Served = {
      connect(socket) {
        gateway.serve({
          clientHost: socket.clientHost,
          address: socket.address,
          known: undefined,
          wantsLogin: false,
          write: (chunks) => socket.write(chunks),
          pause: () => socket.pause(),
          resume: () => socket.resume(),
          close: (reason) => socket.close(reason as never),
        });
        return {
          receive: (chunk) => gateway.received(chunk),
          drained: () => gateway.drained(),
          ended: () => gateway.ended(),
        };
      },
    };
    const link = new Link({ scheduler, random }, served, listener);
    this.#links.add(link);
    return link;
  }

  #channel(): Channel {
    return new Channel(this.#parts.scheduler, this.#parts.random);
  }

  /** A gateway's WebSocket to an object. */
  #open(
    shard: string,
    { greeting, events }: { greeting: LinkGreeting; events: LinkEvents },
  ): Promise<LinkSocket> {
    const object = this.object(shard);
    const [there, back] = [this.#channel(), this.#channel()];
    let isEnded = false;
    const ended = () => {
      if (isEnded) return;
      isEnded = true;
      there.isCut = true;
      events.closed();
    };
    return new Promise((resolve, reject) => {
      const refuse = () => back.send('link refused', () => reject(new Error(`${shard} cannot be reached`)));
      if (this.#fails()) return refuse();
      const socket = new ServerSocket(
        (bytes) => object.storage.gate(() => back.send('frame', () => !isEnded && events.received(bytes))),
        () => back.send('link closed', ended),
      );
      there.send('link', () =>
        object.deliver((host, instance) => {
          instance.sockets.add(socket);
          host.accept(socket, greeting);
          object.storage.gate(() => back.send('link open', () => resolve(linkOf())));
        }, refuse),
      );
      const linkOf = (): LinkSocket => ({
        send: (bytes) => {
          const copy = bytes.slice();
          there.send('frame', () => this.#received(object, socket, copy));
        },
        close: () => {
          isEnded = true;
          there.send('link closed', () => object.closed(socket));
        },
      });
    });
  }

  #received(object: SimObject, socket: ServerSocket, bytes: Uint8Array): void {
    if (socket.isClosed) return;
    // A stale instance has its sockets until it is told.
    const stale = this.#stale.get(socket);
    if (stale !== undefined && !stale.isGone) return stale.run((host) => host.received(socket, bytes));
    object.deliver((host) => host.received(socket, bytes));
  }

  readonly #stale = new Map<ServerSocket, Instance>();

  /** One object calls another; and nobody hears of it once it is gone. */
  #callsOf(caller: Instance) {
    return <T>(shard: string, work: (host: Host) => T) =>
      new Promise<Awaited<T>>((resolve, reject) => {
        const object = this.object(shard);
        const [there, back] = [this.#channel(), this.#channel()];
        const answer = (settle: () => void) =>
          back.send('answer', () => {
            if (!caller.isGone) settle();
          });
        const refuse = () => answer(() => reject(new Error(`${shard} cannot be reached`)));
        if (this.#fails()) return refuse();
        caller.object.storage.gate(() =>
          there.send('call', () =>
            object.deliver(async (host, instance) => {
              try {
                const result = await work(host);
                if (instance.isGone) return refuse();
                object.storage.gate(() => answer(() => resolve(result)));
              } catch (error) {
                refuse();
                if (!(error instanceof Error && error.message === REMOTE_DOWN)) throw error;
              }
            }, refuse),
          ),
        );
      });
  }

  #peersOf(caller: Instance): Peers {
    const calls = this.#callsOf(caller);
    const call = <T>(shard: string, work: (host: ShardHost) => T) =>
      calls(shard, (host) => work(host as ShardHost));
    return {
      ask: (shard, question) => call(shard, (host) => host.answer(structuredClone(question))),
      metadataFor: (shard) => call(METADATA, (host) => host.metadataFor(shard)),
      push: (relay, pushed) => calls(relay, (host) => (host as RelayHost).push(structuredClone(pushed))),
      drop: (shard) => call(shard, (host) => host.drop()),
    };
  }

  /** R2, from an object (behind its gate) or from a Worker. */
  #remoteOf(object: SimObject | undefined, isThere: () => boolean): RemoteStorage {
    const { bug } = this.#parts;
    const ask = async <T>(isWrite: boolean, work: () => Promise<T>): Promise<T> => {
      const { scheduler, random } = this.#parts;
      if (object !== undefined) await new Promise<void>((resolve) => object.storage.gate(resolve));
      await scheduler.sleep(random.between(5, 60));
      if (!isThere()) return new Promise<T>(() => {});
      if (this.#isRemoteDown) throw new Error(REMOTE_DOWN);
      const done = await work();
      await scheduler.sleep(random.between(1, 20));
      if (!isThere()) return new Promise<T>(() => {});
      if (isWrite && this.#isFlaky && random.chance(0.4)) throw new Error(REMOTE_DOWN);
      return done;
    };
    const { remote } = this;
    return {
      put: (key, bytes) =>
        ask(true, () => (bug === 'lose-objects' ? Promise.resolve('created') : remote.put(key, bytes))),
      replace: (key, bytes) => ask(true, () => remote.replace(key, bytes)),
      sizeOf: (key) => ask(false, () => remote.sizeOf(key)),
      get: (key, range) => ask(false, () => remote.get(key, range)),
      list: (prefix, after) => ask(false, () => remote.list(prefix, after)),
      delete: (keys) => ask(true, () => remote.delete(keys)),
    };
  }

  #fails(): boolean {
    return this.#isFlaky && this.#parts.random.chance(0.2);
  }

  befall({ kind, lastsMs }: ObjectFault): void {
    const { scheduler, random } = this.#parts;
    const awake = this.objects.filter(({ instance }) => instance !== undefined);
    const some = awake.filter(() => random.chance(0.4));
    const lasting = (set: (isOn: boolean) => void) => {
      set(true);
      scheduler.after(lastsMs, `end of ${kind}`, () => set(false));
    };
    switch (kind) {
      case 'evict':
        for (const object of some) object.evict();
        return;
      case 'replace':
        for (const object of some) this.#replace(object);
        return;
      case 'sleep':
        for (const object of awake) object.maybeSleep(true);
        return;
      case 'deploy':
        for (const object of this.objects) object.evict();
        for (const link of this.#links) link.cut();
        this.#isolates.forEach((_, at) => (this.#isolates[at] = new Isolate()));
        return;
      case 'alarm lost':
        for (const object of this.objects) object.losesAlarm = random.chance(0.5);
        return;
      case 'alarm twice':
        for (const object of this.objects) object.doublesAlarm = random.chance(0.5);
        return;
      case 'cut connection':
        for (const link of this.#links) if (random.chance(0.4)) link.cut();
        return;
      case 'half-open connection':
        for (const link of this.#links) if (random.chance(0.4)) link.halfOpen();
        return;
      case 'remote down':
        return lasting((isOn) => (this.#isRemoteDown = isOn));
      case 'lost answers':
        return lasting((isOn) => (this.#isFlaky = isOn));
      case 'slow storage':
        return lasting((isOn) => this.#slow(isOn));
      default:
        throw new Error(`${String(kind)} is no fault`);
    }
  }

  #replace(object: SimObject): void {
    const { instance } = object;
    if (instance === undefined) return;
    for (const socket of instance.sockets) this.#stale.set(socket, instance);
    object.replace();
  }

  #slow(isOn: boolean): void {
    this.#isSlow = isOn;
    for (const { storage } of this.objects) storage.slowness = isOn ? 20 : 1;
  }

  /** Nothing bad happens any more. */
  heal(): void {
    this.#isRemoteDown = false;
    this.#isFlaky = false;
    this.#slow(false);
    for (const object of this.objects) {
      object.losesAlarm = false;
      object.doublesAlarm = false;
    }
  }

  #sleepLater(): void {
    this.#parts.scheduler.after(SLEEP_LOOK_MS, 'who sleeps', () => {
      for (const object of this.objects) object.maybeSleep();
      this.#sleepLater();
    });
  }

  close(): void {
    for (const { storage } of this.objects) storage.close();
  }
}

const REMOTE_DOWN = '503 from R2';
