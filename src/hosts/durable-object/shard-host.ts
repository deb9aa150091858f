import { type Backend, startShards } from '../../broker/core.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import { becomeRecords, shardPrint } from '../../metadata/shard-view.ts';
import { decodeMetadataRecord } from '../../metadata/records.ts';
import { ErrorCode } from '../../model/errors.ts';
import type { Offset, Uuid } from '../../model/ids.ts';
import type { Answer, Ask, Caller } from '../../model/machine.ts';
import type { LogFields } from '../../ports/log.ts';
import {
  METADATA_SHARD,
  partitionOfShard,
  type ShardId,
  type ShardReply,
  type ShardRequest,
} from '../../ports/shard-link.ts';
import { sizeOfAll } from '../../ports/log-store.ts';
import type { Random } from '../../ports/random.ts';
import type { RemoteStorage } from '../../ports/remote-storage.ts';
import type { Codecs } from '../../records/codecs.ts';
import type { RoomBounds } from '../../log/tiering/decide.ts';
import { produceApi, type ProduceResponse } from '../../wire/apis/00-produce.ts';
import { recordsOf } from '../../shard/appends.ts';
import { webRandom } from '../web/random.ts';
import { Controller } from './controller.ts';
import { CountedDatabase } from './counted-database.ts';
import { decodeFrame, decodeFrames, encodeFrame, type MetadataFrame, type ToShard } from './frames.ts';
import { Links, type ObjectSocket } from './links.ts';
import { ObjectClock, type ObjectTime, PLATFORM_TIME } from './object-clock.ts';
import { ObjectState, type ObjectStorage } from './object-state.ts';
import { type Placement, placementOf } from './placement.ts';
import { OBJECT_ROOM, ObjectRoom } from './room.ts';
import { clusterIdOf, NODE_ID } from './settings.ts';
import { Followers } from './relay/followers.ts';
import type { NextFetch, Pushed } from './relay/frames.ts';
import { relaysFor } from './relay/how-many.ts';
import { SqliteLogStore } from './sqlite-log-store.ts';
import { ObjectTiering } from './tiering/object-tiering.ts';
import { RemoteReader } from './tiering/remote-reader.ts';

/** One object asks another: by a call, never by a socket of its own, which would keep it awake. */
export interface Peers {
  ask(shard: ShardId, question: Question, placement: Placement): Promise<Answer>;
  /** Values of the records that the metadata shard has for this one. */
  metadataFor(shard: ShardId): Promise<readonly Uint8Array[]>;
  /** The shard's topic is deleted. */
  drop(shard: ShardId, placement: Placement): Promise<void>;
  /** Of a leader to a relay, see `Followers`. */
  push(relay: string, pushed: Pushed | undefined, placement: Placement): Promise<NextFetch | undefined>;
}

export type Question = Omit<Ask, 'shard'> & { caller: Caller };

export interface ShardHostParts {
  shard: ShardId;
  cluster: string;
  storage: ObjectStorage;
  /** Where closed segments go; left out, they stay. */
  remote?: RemoteStorage | undefined;
  /** The platform's, unless given. */
  time?: ObjectTime;
  random?: Random;
  /** How much the object holds. */
  room?: RoomBounds;
  /** Links of gateways that an earlier instance has accepted. */
  sockets: Iterable<ObjectSocket>;
  peers: Peers;
  kernels: Kernels;
  codecs: Codecs;
  settings: ReadonlyMap<string, string>;
  /** How long an append waits for those that come with it; 0: it does not. */
  lingerMs: number;
  onWarning: (message: string, about?: LogFields) => void;
}

const LINGER_MAX_BYTES = 256 * 1024;
const MINUTE_MS = 60_000;
/** Kafka's log.retention.check.interval.ms, where something was written; an idle log is looked at once an hour. */
const LOOK_AFTER_MS = 5 * MINUTE_MS;
const LOOK_AFTER_IDLE_MS = 60 * MINUTE_MS;
const STAY_AWAKE_MS = 5_000;
const GONE = 1001;

/**
 * How near a deadline must be to keep the object awake. Sessions of members are known to the memory alone: an object
 * that sleeps before they end would begin them again each time it wakes.
 */
function nearMsOf(shard: ShardId): number {
  if (shard.startsWith('g/')) return 2 * MINUTE_MS;
  return shard.startsWith('d/') ? 10_000 : 5_000;
}

function isProduce(frame: ToShard): boolean {
  return frame.type === 'request' && frame.apiKey === produceApi.key;
}

/** One shard in one object: the same shard as on Node, its gateways at the far end of WebSockets. */
export class ShardHost {
  readonly shard: ShardId;
  readonly #parts: ShardHostParts;
  readonly #clock: ObjectClock;
  readonly #state: ObjectState;
  readonly #database: CountedDatabase;
  readonly #links = new Links();
  readonly #backend: Backend;
  readonly #store: SqliteLogStore;
  readonly #controller: Controller | undefined;
  /** Undefined where nothing is moved elsewhere. */
  readonly #tiering: ObjectTiering | undefined;
  readonly #room: ObjectRoom;
  readonly #followers: Followers;
  /** Whose topic it is; undefined for coordinators, who look at all. */
  readonly #topicId: Uuid | undefined;
  /** Waits for the metadata. */
  #refreshing: Promise<void> | undefined;
  #isGone = false;
  #staysAwake = false;

  constructor(parts: ShardHostParts) {
    const { shard, cluster, storage, remote, peers, kernels, codecs, settings, lingerMs, onWarning } = parts;
    const { time = PLATFORM_TIME, random = webRandom } = parts;
    const linger = { ms: lingerMs, maxBytes: LINGER_MAX_BYTES };
    this.#parts = parts;
    this.shard = shard;
    this.#topicId = partitionOfShard(shard)?.topicId;
    this.#clock = new ObjectClock({
      nearMs: nearMsOf(shard),
      setAlarm: (atMs) => void storage.setAlarm(atMs),
      time,
    });
    this.#database = new CountedDatabase(storage);
    this.#state = new ObjectState(this.#database, random.uuid());
    this.#store = new SqliteLogStore(this.#database, {
      onWrite: () => this.#state.checkFence(),
      remote: remote && { storage: remote, reader: new RemoteReader() },
      now: () => time.now(),
      onClosed: () => this.#tiering?.soon(),
      ...(lingerMs > 0 && shard !== METADATA_SHARD && { linger: { clock: this.#clock, ...linger } }),
    });
    this.#room = new ObjectRoom(parts.room ?? OBJECT_ROOM, () => storage.sql.databaseSize);
    const controller = shard === METADATA_SHARD ? new Controller(this.#links, this.#state, peers) : undefined;
    this.#controller = controller;
    this.#backend = startShards({
      store: this.#store,
      kernels,
      codecs,
      clock: this.#clock,
      random,
      identity: { clusterId: clusterIdOf(cluster), nodeId: NODE_ID, directoryId: random.uuid() },
      endpoints: [],
      staticConfigs: settings,
      onWarning,
      reply: (reply) => this.#reply(reply),
      others: { request: (request) => this.#askOther(request) },
      ...(controller && { adjust: (spec) => controller.adjust(spec, this.#backend.shards) }),
    });
    controller?.serve(this.#backend.image, this.#clock);
    const { shards } = this.#backend;
    const moving = {
      cluster,
      shard,
      shards,
      store: this.#store,
      clock: this.#clock,
      random,
      onWarning,
    };
    this.#followers = new Followers({
      shard,
      links: this.#links,
      state: this.#state,
      clock: this.#clock,
      request: (request) => shards.request(request),
      cancel: (from) => {
        this.#links.forget(from);
        shards.cancel(shard, from);
      },
      push: (relay, pushed) => peers.push(relay, pushed, placementOf(this.#backend.image, relay)),
    });
    // What coordinators keep is small, and wanted whole.
    if (remote !== undefined && this.#topicId !== undefined)
      this.#tiering = new ObjectTiering({ remote, ...moving });
  }

  /** Before anything else: what an earlier instance has left is taken up. */
  async start(): Promise<void> {
    this.#clock.alarmIs(await this.#parts.storage.getAlarm());
    const kept = this.#controller === undefined ? this.#state.metadata : undefined;
    if (kept !== undefined) this.#become(decodeFrame<MetadataFrame>(kept).values);
    const parked = this.#links.restore(this.#parts.sockets, this.shard);
    if (this.#controller !== undefined) await this.#controller.start(this.#backend);
    for (const request of parked) this.#backend.shards.request(request);
    this.#followers.start();
  }

  /** @param greeting what the gateway knows, see `LinkGreeting`. */
  accept(socket: ObjectSocket, { print, from }: { print: string; from: Offset }): void {
    const link = this.#links.open(socket, from);
    this.#controller?.opened(link);
    this.#compare(print);
  }

  /** A message of a gateway. */
  received(socket: ObjectSocket, bytes: Uint8Array): void {
    let isTouched = false;
    for (const { frame, bytes: own } of decodeFrames<ToShard>(bytes)) {
      // What is written is said to be so once a transaction has looked.
      if (!isTouched && !isProduce(frame) && !this.#isGone) this.#state.touch();
      isTouched ||= !isProduce(frame);
      this.#whenKnown(() => this.#take(socket, frame, own));
    }
  }

  #take(socket: ObjectSocket, frame: ToShard, bytes: Uint8Array): void {
    const link = this.#links.of(socket);
    if (link === undefined) return;
    const { shards } = this.#backend;
    switch (frame.type) {
      case 'request': {
        const request = this.#links.request(link, frame, { shard: this.shard, bytes });
        const isFull = request.apiKey === produceApi.key && this.#room.look() === 'full';
        if (this.#isGone) this.#refuse(request);
        else if (isFull) this.#refuseProduce(request);
        else shards.request(request);
        return this.#stayAwake();
      }
      case 'cancel': {
        const address = this.#links.cancel(link, frame.correlationId);
        if (address !== undefined) shards.cancel(this.shard, address);
        return;
      }
      case 'refused': {
        const refusals = shards.get(this.shard)?.refusals;
        for (const header of frame.headers) refusals?.add(header, this.#clock.now());
        return;
      }
      default:
        return this.#compare(frame.print);
    }
  }

  #refuse({ from }: ShardRequest, errorCode: number = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION): void {
    this.#links.reply({ to: from, body: undefined, errorCode });
  }

  /** What follows it may not overtake it when there is room again. */
  #refuseProduce(request: ShardRequest): void {
    this.#backend.shards.get(this.shard)?.refusals.add(recordsOf(request), this.#clock.now());
    this.#refuse(request, ErrorCode.THROTTLING_QUOTA_EXCEEDED);
  }

  #reply(reply: ShardReply): void {
    const relays = reply.parked ? this.#relays : 0;
    this.#links.reply(isProduced(reply) ? this.#room.throttled(reply) : reply, relays || undefined);
  }

  /** How many of them readers may wait at. */
  get #relays(): number {
    return this.#topicId === undefined ? 0 : relaysFor(this.#links.size, this.#parts.settings);
  }

  /** A relay wants what follows. @returns whether it is handed over. */
  async follow(relay: string, next: NextFetch): Promise<boolean> {
    if (!this.#isGone) this.#state.touch();
    if (this.#backend.shards.get(this.shard) === undefined) this.#refresh();
    await this.#refreshing;
    if (!this.#isGone) this.#followers.follow(relay, next);
    return !this.#isGone;
  }

  /** The gateway has gone. */
  closed(socket: ObjectSocket): void {
    for (const address of this.#links.closed(socket)) this.#backend.shards.cancel(this.shard, address);
  }

  /** Another object's question. */
  async answer(question: Question): Promise<Answer> {
    if (!this.#isGone) this.#state.touch();
    if (this.#backend.shards.get(this.shard) === undefined) this.#refresh();
    await this.#refreshing;
    if (this.#isGone) return { body: undefined, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
    return new Promise((resolve) => {
      const from = this.#links.expectAnswer(({ body, errorCode }: ShardReply) =>
        resolve(errorCode === undefined ? { body } : { body, errorCode }),
      );
      this.#backend.shards.request({ shard: this.shard, from, ...question });
      this.#stayAwake();
    });
  }

  #askOther(request: ShardRequest): void {
    const { shards, image } = this.#backend;
    const { shard, from, caller, apiKey, apiVersion, body } = request;
    if (shard === this.shard) return shards.request(request);
    this.#parts.peers.ask(shard, { caller, apiKey, apiVersion, body }, placementOf(image, shard)).then(
      (answer) => shards.answered({ to: from, ...answer }),
      () => shards.answered({ to: from, body: undefined, errorCode: ErrorCode.NETWORK_EXCEPTION }),
    );
  }

  /** Of the metadata shard: what it has for another. */
  metadataFor(shard: ShardId): readonly Uint8Array[] {
    this.#state.touch();
    return this.#controller?.metadataFor(shard) ?? [];
  }

  /** Since this instance woke; and what there is. */
  get counts() {
    const { rowsWritten, transactions } = this.#database;
    const remote = this.#backend.shards.get(this.shard)?.log?.remoteSegments ?? [];
    return {
      rowsWritten,
      transactions,
      storedBytes: this.#parts.storage.sql.databaseSize,
      remoteSegments: remote.length,
      remoteBytes: sizeOfAll(remote),
    };
  }

  /** The topic is deleted: nothing of it stays. Idempotent. */
  async drop(): Promise<void> {
    this.#isGone = true;
    // First: who asks for a relay would have the shard made again.
    const relaysTold = this.#followers.dropped();
    if (this.#topicId !== undefined) await this.#backend.shards.dropTopic(this.#topicId);
    await this.#tiering?.deleteEverything();
    await relaysTold;
    this.#links.closeAll(GONE, 'the topic is deleted');
    await this.#parts.storage.deleteAll();
  }

  /** The platform's alarm; it may come twice. */
  async alarm(): Promise<void> {
    await this.#refreshing;
    if (this.#isGone) return;
    const { shards, logManager, cleaner } = this.#backend;
    this.#clock.alarm();
    await shards.openStored(this.shard);
    await this.#controller?.alarm();
    if (this.#controller !== undefined) return;
    await logManager.check();
    await cleaner.cleanDirtiest();
    await this.#tiering?.look();
    const log = shards.get(this.shard)?.log;
    const isEmpty = log === undefined || log.logEndOffset === log.logStartOffset;
    if (!isEmpty) this.#clock.wakeAt(this.#clock.now() + LOOK_AFTER_IDLE_MS);
  }

  /** Whoever asks knows this of us: where it is something else than we know, we ask. */
  #compare(print: string): void {
    if (this.#controller !== undefined || this.#isGone) return;
    const isKnown = this.#backend.shards.get(this.shard) !== undefined;
    if (!isKnown || print !== shardPrint(this.#backend.image, this.#topicId)) this.#refresh();
  }

  #refresh(): void {
    if (this.#controller !== undefined) return;
    this.#refreshing ??= this.#askMetadata().then(() => {
      this.#refreshing = undefined;
    });
  }

  async #askMetadata(): Promise<void> {
    try {
      const values = await this.#parts.peers.metadataFor(this.shard);
      this.#become(values);
      const frame: MetadataFrame = { type: 'metadata', base: 0, end: 0, values };
      if (this.#backend.shards.get(this.shard) !== undefined) this.#state.keepMetadata(encodeFrame(frame));
    } catch (error) {
      this.#parts.onWarning(`${this.shard}: what the metadata says is not known: ${String(error)}`);
    }
  }

  #become(values: readonly Uint8Array[]): void {
    const records = values.map(decodeMetadataRecord).filter((record) => record !== undefined);
    becomeRecords(this.#backend.image, records);
  }

  /** In the order they came. */
  #whenKnown(work: () => void): void {
    if (this.#refreshing === undefined) work();
    else void this.#refreshing.then(work);
  }

  /** While somebody waits for an answer that is not parked: asleep we would forget it. */
  #stayAwake(): void {
    this.#clock.wakeAt(this.#clock.now() + LOOK_AFTER_MS);
    if (this.#staysAwake || this.#links.unansweredCount === 0) return;
    this.#staysAwake = true;
    const { time = PLATFORM_TIME } = this.#parts;
    time.after(STAY_AWAKE_MS, () => {
      this.#staysAwake = false;
      if (this.#links.unansweredCount > 0) this.#stayAwake();
    });
  }
}

/** Answers to Fetch have partitions where these have partition responses. */
function isProduced({ body }: ShardReply): boolean {
  return (body as Partial<ProduceResponse> | undefined)?.responses?.[0]?.partitionResponses !== undefined;
}
