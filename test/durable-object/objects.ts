import {
  decodeFrames,
  encodeFrame,
  type FromShard,
  type MetadataFrame,
  type ReplyFrame,
  type ToShard,
} from '../../src/hosts/durable-object/frames.ts';
import type { ObjectSocket } from '../../src/hosts/durable-object/links.ts';
import type { ObjectStorage } from '../../src/hosts/durable-object/object-state.ts';
import { settingsOf } from '../../src/hosts/durable-object/settings.ts';
import { type Peers, ShardHost } from '../../src/hosts/durable-object/shard-host.ts';
import { OBJECT_ROOM } from '../../src/hosts/durable-object/room.ts';
import type { RoomBounds } from '../../src/log/tiering/decide.ts';
import type { RemoteStorage } from '../../src/ports/remote-storage.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { Databases } from './node-home.ts';
import { NodeSqlite } from './node-sqlite.ts';

const CALLER = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };

/** A WebSocket as an object sees it: what lies in it outlives the instance. */
export class FakeSocket implements ObjectSocket {
  readonly frames: FromShard[] = [];
  attachment: unknown = null;
  closed: number | undefined;

  send(bytes: Uint8Array<ArrayBuffer>): void {
    for (const { frame } of decodeFrames<FromShard>(bytes.slice())) this.frames.push(frame);
  }
  close(code = 1000): void {
    this.closed = code;
  }
  serializeAttachment(attachment: unknown): void {
    this.attachment = structuredClone(attachment);
  }
  deserializeAttachment(): unknown {
    return structuredClone(this.attachment);
  }

  replies(correlationId: number): ReplyFrame[] {
    return this.frames.filter(
      (frame): frame is ReplyFrame => frame.type === 'reply' && frame.correlationId === correlationId,
    );
  }
  get metadata(): MetadataFrame[] {
    return this.frames.filter((frame): frame is MetadataFrame => frame.type === 'metadata');
  }
}

class Storage extends NodeSqlite implements ObjectStorage {
  readonly alarms: number[] = [];
  async getAlarm(): Promise<number | null> {
    return this.alarms.at(-1) ?? null;
  }
  setAlarm(atMs: number): void {
    this.alarms.push(atMs);
  }
  async deleteAll(): Promise<void> {
    const tables = this.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .toArray();
    for (const { name } of tables) this.sql.exec(`DROP TABLE ${name}`);
  }
}

/** One object: its database and its sockets stay, its instances come and go. */
export class FakeObject {
  readonly shard: string;
  readonly storage: Storage;
  readonly sockets = new Set<FakeSocket>();
  readonly #world: World;
  #host: Promise<ShardHost> | undefined;
  /** Times that an instance was made. */
  wakes = 0;

  constructor(shard: string, path: string, world: World) {
    this.shard = shard;
    this.storage = new Storage(path);
    this.#world = world;
  }

  get host(): Promise<ShardHost> {
    this.#host ??= this.#wake();
    return this.#host;
  }

  async #wake(): Promise<ShardHost> {
    this.wakes++;
    const kernels = await loadKernels();
    const host = new ShardHost({
      shard: this.shard,
      cluster: 'test',
      storage: this.storage,
      remote: this.#world.remote,
      room: this.#world.room,
      sockets: this.sockets,
      peers: this.#world.peers,
      kernels,
      codecs: nodeCodecs(kernels),
      settings: settingsOf(`log.retention.ms=-1\n${this.#world.settings}`, {
        isTiered: this.#world.remote !== undefined,
      }),
      lingerMs: 0,
      onWarning: (message) => this.#world.warnings.push(message),
    });
    await host.start();
    return host;
  }

  /** Its memory is gone. */
  sleep(): void {
    this.#host = undefined;
  }

  async link({ print = '', from = 0 } = {}): Promise<FakeSocket> {
    const socket = new FakeSocket();
    const host = await this.host;
    this.sockets.add(socket);
    host.accept(socket, { print, from });
    return socket;
  }

  async unlink(socket: FakeSocket): Promise<void> {
    this.sockets.delete(socket);
    (await this.host).closed(socket);
  }

  async say(socket: FakeSocket, frame: ToShard): Promise<void> {
    (await this.host).received(socket, encodeFrame(frame));
  }

  /** Sends a request; what has come back once nothing more happens by itself. */
  async request(
    socket: FakeSocket,
    request: { correlationId: number; apiKey: number; apiVersion: number; body: unknown },
  ): Promise<ReplyFrame[]> {
    await this.say(socket, { type: 'request', caller: CALLER, ...request });
    await settled();
    return socket.replies(request.correlationId);
  }
}

/** Whatever is under way without a timer has come to its end. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Objects that know each other, without a platform. */
export class World {
  readonly warnings: string[] = [];
  readonly #databases: Databases;
  readonly #objects = new Map<string, FakeObject>();
  /** Where closed segments go. */
  readonly remote: RemoteStorage | undefined;
  readonly settings: string;
  room: RoomBounds = OBJECT_ROOM;
  /** Calls from object to object. */
  readonly calls: string[] = [];

  constructor(
    databases: Databases,
    { remote, settings = '' }: { remote?: RemoteStorage; settings?: string } = {},
  ) {
    this.#databases = databases;
    this.remote = remote;
    this.settings = settings;
  }

  object(shard: string): FakeObject {
    const known = this.#objects.get(shard);
    if (known !== undefined) return known;
    const object = new FakeObject(shard, this.#databases.path(), this);
    this.#objects.set(shard, object);
    return object;
  }

  readonly peers: Peers = {
    ask: async (shard, question) => {
      this.calls.push(`ask ${shard}`);
      return (await this.object(shard).host).answer(question);
    },
    metadataFor: async (shard) => {
      this.calls.push(`metadata for ${shard}`);
      return (await this.object('m').host).metadataFor(shard);
    },
    push: async () => undefined,
    drop: async (shard) => {
      this.calls.push(`drop ${shard}`);
      return (await this.object(shard).host).drop();
    },
  };
}
