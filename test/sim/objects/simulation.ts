import { Admin } from '../../../src/hosts/sim/admin.ts';
import { Recorder } from '../../../src/hosts/sim/anomalies/history.ts';
import { Broken, holds } from '../../../src/hosts/sim/broken.ts';
import { Client } from '../../../src/hosts/sim/client.ts';
import { Consumer, Reader } from '../../../src/hosts/sim/consumer.ts';
import { GroupLedger, REBALANCE_TIMEOUT_MS } from '../../../src/hosts/sim/group-ledger.ts';
import { judge } from '../../../src/hosts/sim/judge.ts';
import { Ledger } from '../../../src/hosts/sim/ledger.ts';
import { Member } from '../../../src/hosts/sim/member.ts';
import type { NodeConfig } from '../../../src/hosts/sim/node.ts';
import { Producer } from '../../../src/hosts/sim/producer.ts';
import { SeededRandom } from '../../../src/hosts/sim/random.ts';
import { Scheduler } from '../../../src/hosts/sim/scheduler.ts';
import type { World } from '../../../src/hosts/sim/world.ts';
import type { Kernels } from '../../../src/kernels/kernels.ts';
import type { LogKey } from '../../../src/model/ids.ts';
import { loadKernels } from '../../../src/kernels/load.ts';
import { OBJECT_FAULTS, type ObjectBug, type ObjectFaultKind, planObjects } from './faults.ts';
import { Platform } from './platform.ts';
import { Replaced } from './storage.ts';

export interface ObjectsOptions {
  isTraced?: boolean;
  bug?: ObjectBug | undefined;
}

export interface ObjectsReport {
  seed: number;
  failure: Error | undefined;
  operations: number;
  records: number;
  faults: Record<ObjectFaultKind, number>;
  wakes: number;
  sleeps: number;
  alarms: number;
  /** Objects of R2 that were made. */
  copied: number;
  virtualMs: number;
  events: number;
  /** Of all events: equal for equal seeds. */
  hash: number;
  trace: readonly string[];
}

const START_MS = 1_767_225_600_000;
const WILD_MS = 30_000;
const EVENTS_MAX = 400_000;
const GRACE_MS = 15_000;
const CONFIG: NodeConfig = {
  flush: 'always',
  segmentBytes: 4_000,
  indexIntervalBytes: 4_096,
  tailBytes: 0,
  indexBytes: 0,
  maxOpenFiles: 1,
  snapshotEveryBytes: 10_000,
};

/** One seed of the Worker and the object hosts, in virtual time, on a platform that does what Cloudflare's may do. */
export async function simulateObjects(seed: number, options: ObjectsOptions = {}): Promise<ObjectsReport> {
  return new ObjectsSimulation(seed, await loadKernels(), options).run();
}

class ObjectsSimulation implements World {
  readonly scheduler = new Scheduler(START_MS);
  readonly kernels: Kernels;
  readonly ledger = new Ledger();
  readonly groups = new Map([['group-a', new GroupLedger('group-a')]]);
  readonly config = CONFIG;
  readonly gatewaysLag = true;
  readonly recorder = new Recorder(() => this.scheduler.nowMs);
  phase: World['phase'] = 'wild';
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #platform: Platform;
  readonly #members: Member[] = [];
  readonly #clients: Promise<void>[] = [];
  readonly #faults = Object.fromEntries(OBJECT_FAULTS.map((kind) => [kind, 0])) as Record<
    ObjectFaultKind,
    number
  >;
  #operations = 0;
  #failure: Error | undefined;
  #isOver = false;

  constructor(seed: number, kernels: Kernels, { isTraced = false, bug }: ObjectsOptions) {
    this.#seed = seed;
    this.kernels = kernels;
    if (isTraced) this.scheduler.trace = [];
    this.#random = new SeededRandom(seed, 1);
    this.#platform = new Platform({
      scheduler: this.scheduler,
      random: this.#random,
      kernels,
      bug,
      onFailure: (error) => this.#fail(error),
    });
  }

  /** Nothing flips bits here. */
  wasFlipped(): boolean {
    return false;
  }

  async run(): Promise<ObjectsReport> {
    const unhandled = (error: unknown) => {
      if (!(error instanceof Replaced)) this.#fail(error);
    };
    process.on('unhandledRejection', unhandled);
    this.#spawn(this.#direct());
    try {
      const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
      await this.scheduler.run(() => this.#afterEvent(), turn);
    } catch (error) {
      this.#fail(error);
    } finally {
      process.off('unhandledRejection', unhandled);
      this.#platform.close();
    }
    return this.#report();
  }

  async #direct(): Promise<void> {
    this.#admitClients();
    for (const fault of planObjects(this.#random, WILD_MS))
      this.scheduler.after(fault.atMs, 'fault', () => {
        this.scheduler.note(`fault: ${fault.kind}`);
        this.#faults[fault.kind]++;
        this.#platform.befall(fault);
      });
    await this.scheduler.sleep(WILD_MS + 3_000);
    this.#enter('calm');
    this.#platform.heal();
    await this.#becomeStable();
    this.#enter('over');
    await Promise.all(this.#clients);
    await this.#readAll('reader');
    // Whoever reads all again reads what was moved meanwhile, too.
    await this.scheduler.sleep(60_000);
    this.#platform.befall({ kind: 'evict', atMs: 0, lastsMs: 0 });
    await this.#readAll('reader-again');
    const logs = this.ledger.topics().flatMap((topic) => topic.logs.filter(({ isWhole }) => isWhole));
    const kept = new Set(logs.map(({ log }) => log));
    judge({
      operations: this.recorder.history((key) => kept.has(key as LogKey)),
      deletedBelow: new Map(logs.map(({ log, trimmed }) => [log, trimmed.most])),
      processed: new Set(),
    });
    this.#isOver = true;
  }

  #enter(phase: World['phase']): void {
    this.phase = phase;
    this.scheduler.note(`now it is ${phase}`);
  }

  #admitClients(): void {
    const admit = (run: () => Promise<void>) => {
      const client = run();
      this.#clients.push(client);
      this.#spawn(client);
    };
    for (const number of [1, 2, 3]) {
      const producer = new Producer(this, this.#client(`producer-${number}`), number < 3);
      admit(() => producer.run());
    }
    for (const number of [1, 2]) {
      const consumer = new Consumer(this, this.#client(`consumer-${number}`));
      admit(() => consumer.run());
    }
    for (const group of this.groups.values())
      for (const number of [1, 2, 3]) {
        const name = `${group.groupId}-${number}`;
        const member = new Member(this, this.#client(name), group, number === 3 ? `static-${name}` : null);
        this.#members.push(member);
        admit(() => member.run());
      }
    const admin = new Admin(this, this.#client('admin'));
    admit(() => admin.run());
  }

  #client(name: string): Client {
    return new Client(name, {
      scheduler: this.scheduler,
      random: this.#random,
      connect: (listener) => this.#platform.connect(listener),
      onRequest: () => this.#operations++,
    });
  }

  async #becomeStable(): Promise<void> {
    const deadlineMs = this.scheduler.nowMs + 2 * REBALANCE_TIMEOUT_MS + GRACE_MS;
    const isStable = () => {
      const generations = new Set(this.#members.map(({ stableGeneration }) => stableGeneration));
      return generations.size === 1 && !generations.has(-1);
    };
    while (!isStable()) {
      holds(this.scheduler.nowMs < deadlineMs, 'I11', () => 'the group does not become stable');
      await this.scheduler.sleep(200);
    }
  }

  async #readAll(name: string): Promise<void> {
    const reader = new Reader(this, this.#client(name));
    for (const log of this.ledger.topics().flatMap(({ logs }) => logs)) {
      const isWhole = await reader.readAll(log, reader.start(log, log.trimmed.most));
      holds(isWhole, 'I17', () => `${log.title} cannot be read to its end`);
      log.checkSequences();
    }
  }

  #spawn(work: Promise<void>): void {
    work.catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#failure ??= error instanceof Broken ? error : new Broken('I17', `it throws: ${text}`);
    this.scheduler.note(`FAILED: ${String(error)}`);
  }

  #afterEvent(): boolean {
    holds(this.scheduler.eventsRun < EVENTS_MAX, 'I17', () => 'it goes on and on');
    return this.#isOver || this.#failure !== undefined;
  }

  #report(): ObjectsReport {
    const { scheduler } = this;
    const sum = (of: 'wakes' | 'sleeps' | 'alarms') =>
      this.#platform.objects.reduce((all, { counts }) => all + counts[of], 0);
    return {
      seed: this.#seed,
      failure: this.#failure,
      operations: this.#operations,
      records: this.ledger.records,
      faults: this.#faults,
      wakes: sum('wakes'),
      sleeps: sum('sleeps'),
      alarms: sum('alarms'),
      copied: this.#platform.remote.calls.filter((call) => call.startsWith('put')).length,
      virtualMs: scheduler.nowMs - START_MS,
      events: scheduler.eventsRun,
      hash: scheduler.hash,
      trace: scheduler.trace ?? [],
    };
  }
}
