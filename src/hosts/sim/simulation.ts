import type { Kernels } from '../../kernels/kernels.ts';
import type { Millis } from '../../model/ids.ts';
import { Admin } from './admin.ts';
import { type Outcome, Recorder } from './anomalies/history.ts';
import { Broken, holds } from './broken.ts';
import { Client } from './client.ts';
import { Consumer, Reader } from './consumer.ts';
import type { Disk } from './disk.ts';
import { GroupLedger, REBALANCE_TIMEOUT_MS, SESSION_TIMEOUT_MS } from './group-ledger.ts';
import { judge } from './judge.ts';
import { Keeper } from './keeper.ts';
import { Keyed } from './keyed.ts';
import { Ledger } from './ledger.ts';
import { Member } from './member.ts';
import { type Fault, type FaultKind, plan } from './nemesis.ts';
import type { Node, NodeConfig, Seams } from './node.ts';
import { Producer } from './producer.ts';
import { SeededRandom } from './random.ts';
import { Scheduler, type Turn } from './scheduler.ts';
import { ShareStage } from './share/stage.ts';
import { compareStates, stateOf } from './states.ts';
import { TxnStage } from './txn/stage.ts';
import type { World } from './world.ts';

/** Who is there. */
export type Cast = 'all' | 'transactions' | 'shares';

export interface SimulationOptions {
  seed: number;
  kernels: Kernels;
  turn: Turn;
  /** A planted bug. */
  seams?: Seams;
  /** Keeps a line an event. */
  isTraced?: boolean;
  /**
   * `transactions`: a third of the time, in which there are transactions, one group and a few others. `shares`:
   * likewise, a share group. `all` is the default.
   */
  cast?: Cast;
  /** After so many events nothing bad happens any more: for the shortest prefix that fails. */
  wildEventsMax?: number;
}

export interface SimulationReport {
  seed: number;
  /** What does not hold; undefined when all does. */
  failure: Error | undefined;
  operations: number;
  faults: Record<FaultKind, number>;
  records: number;
  /** How many were committed, aborted, and ended so that nobody knows. */
  transactions: Readonly<Record<Outcome, number>>;
  restarts: number;
  virtualMs: Millis;
  events: number;
  /** Those before the calm. */
  wildEvents: number;
  /** Of all events, and of all files at the end: equal for equal seeds. */
  hashes: { events: number; files: number };
  trace: readonly string[];
}

/** 2026-01-01: any time does, if it is always the same. */
const START_MS = 1_767_225_600_000;
/** How long a seed is, how many requests it has at least, and how many faults beside one of each kind. */
const SPANS = {
  all: { wildMs: 60_000, operationsMin: 2_000, moreFaults: 16 },
  transactions: { wildMs: 20_000, operationsMin: 500, moreFaults: 2 },
  shares: { wildMs: 20_000, operationsMin: 500, moreFaults: 2 },
};
/** So long members of a share group are watched while nothing bad happens. */
const SHARES_CALM_MS = 10_000;
/** No seed needs a tenth of them. */
const EVENTS_MAX = 400_000;
/** Beside the rebalances: what was under way when all was well again. */
const GRACE_MS = 8_000;

/** Runs one seed to its end, or to the first thing that does not hold. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  return new Simulation(options).run();
}

class Simulation implements World {
  readonly scheduler = new Scheduler(START_MS);
  readonly kernels: Kernels;
  readonly ledger = new Ledger();
  readonly groups: ReadonlyMap<string, GroupLedger>;
  readonly config: NodeConfig;
  readonly recorder = new Recorder(() => this.scheduler.nowMs);
  phase: World['phase'] = 'wild';
  readonly #options: SimulationOptions;
  readonly #random: SeededRandom;
  readonly #keeper: Keeper;
  readonly #members: Member[] = [];
  readonly #cast: Cast;
  readonly #stage: TxnStage;
  readonly #shares: ShareStage;
  #keyed: Keyed | undefined;
  readonly #clients: Promise<void>[] = [];
  #faultsToCome = 0;
  #operations = 0;
  #wildEvents = 0;
  #failure: Error | undefined;
  #isOver = false;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.kernels = options.kernels;
    if (options.isTraced) this.scheduler.trace = [];
    this.#random = new SeededRandom(options.seed);
    this.#cast = options.cast ?? 'all';
    const isShort = this.#cast !== 'all';
    const groupIds = isShort ? ['group-a'] : ['group-a', 'group-b'];
    this.groups = new Map(groupIds.map((id) => [id, new GroupLedger(id)]));
    const config = configOf(this.#random);
    this.config = isShort ? { ...config, flush: 'always' } : config;
    this.#stage = new TxnStage(this, (name) => this.#client(name));
    this.#shares = new ShareStage(this, (name) => this.#client(name));
    const { scheduler, kernels, ledger, groups } = this;
    this.#keeper = new Keeper({
      scheduler,
      kernels,
      config: this.config,
      ledger,
      groups,
      stage: this.#stage,
      random: this.#random,
      seams: options.seams ?? {},
      spawn: (work) => this.#spawn(work),
      onStarted: (node) => this.#spawn(this.#readAgain(node)),
    });
  }

  wasFlipped(log: { title: string }, sinceMs: Millis): boolean {
    return this.#keeper.wasFlipped(log, sinceMs);
  }

  async run(): Promise<SimulationReport> {
    this.#spawn(this.#direct());
    try {
      await this.scheduler.run(() => this.#afterEvent(), this.#options.turn);
      holds(this.#isOver || this.#failure, 'I17', () => 'all wait, and nothing will ever happen');
    } catch (error) {
      this.#fail(error);
    }
    return this.#report();
  }

  /** From the first start to the last check. */
  async #direct(): Promise<void> {
    this.#keeper.start();
    this.#admitClients();
    const { wildMs, moreFaults } = SPANS[this.#cast];
    for (const fault of plan(this.#random, { spanMs: wildMs, more: moreFaults })) this.#schedule(fault);
    while (!this.#isTamed) await this.scheduler.sleep(100);
    this.#wildEvents = this.scheduler.eventsRun;
    this.#enter('calm');
    await this.#keeper.heal();
    if (this.#cast === 'shares') {
      this.#shares.ledger.calm(this.scheduler.nowMs);
      await this.scheduler.sleep(SHARES_CALM_MS);
    }
    await this.#becomeStable();
    this.#enter('over');
    await Promise.all(this.#clients);
    this.scheduler.note('all clients have stopped');
    if (this.#cast === 'shares') await this.#shares.finish();
    if (this.#hasTransactions) await this.#stage.finish();
    await this.#readAll();
    await this.#restartEqualsNoRestart();
    await this.#readAll();
    if (this.#hasTransactions) await this.#stage.readAll('txn-once-more');
    judge(this.#stage.history(this.recorder, this.ledger));
    this.#isOver = true;
  }

  #enter(phase: World['phase']): void {
    this.phase = phase;
    this.scheduler.note(`now it is ${phase}`);
  }

  /** Enough has happened. */
  get #isTamed(): boolean {
    if (this.scheduler.eventsRun >= (this.#options.wildEventsMax ?? Infinity)) return true;
    const { wildMs, operationsMin } = SPANS[this.#cast];
    const isLong = this.scheduler.nowMs - START_MS >= wildMs;
    return isLong && this.#faultsToCome === 0 && this.#operations >= operationsMin;
  }

  #schedule(fault: Fault): void {
    this.#faultsToCome++;
    this.scheduler.after(fault.atMs, 'fault', () => {
      this.#faultsToCome--;
      if (this.phase === 'wild') this.#keeper.befall(fault);
    });
  }

  #admitClients(): void {
    const admit = (run: () => Promise<void>) => {
      const client = run();
      this.#clients.push(client);
      this.#spawn(client);
    };
    const isWhole = this.#cast === 'all';
    for (const number of isWhole ? [1, 2, 3] : [1]) {
      const producer = new Producer(this, this.#client(`producer-${number}`), number < 3);
      admit(() => producer.run());
    }
    for (const number of isWhole ? [1, 2] : [1]) {
      const consumer = new Consumer(this, this.#client(`consumer-${number}`));
      admit(() => consumer.run());
    }
    for (const group of this.groups.values()) {
      for (const number of [1, 2, 3]) {
        const name = `${group.groupId}-${number}`;
        const instanceId = number === 3 ? `static-${name}` : null;
        const member = new Member(this, this.#client(name), group, instanceId);
        this.#members.push(member);
        admit(() => member.run());
      }
    }
    const keyed = new Keyed(this, this.#client('keyed'));
    // Without flushes a power cut may take what was acknowledged.
    if (isWhole && this.config.flush === 'always') {
      this.#keyed = keyed;
      admit(() => keyed.run());
    }
    if (this.#cast === 'shares') this.#shares.admit(admit);
    if (this.#hasTransactions) this.#stage.admit(admit);
    const admin = new Admin(this, this.#client('admin'));
    admit(() => admin.run());
  }

  /** As with what is compacted: without flushes half of one may be gone. */
  get #hasTransactions(): boolean {
    return this.config.flush === 'always' && this.#cast !== 'shares';
  }

  #client(name: string): Client {
    return new Client(name, {
      scheduler: this.scheduler,
      random: this.#random,
      connect: (listener) => this.#keeper.node?.connect(listener),
      onRequest: () => this.#operations++,
    });
  }

  /** I11: members that live and are not disturbed are soon of one generation each group. */
  async #becomeStable(): Promise<void> {
    const deadlineMs = this.scheduler.nowMs + 2 * REBALANCE_TIMEOUT_MS + GRACE_MS;
    const unstable = () =>
      [...this.groups.values()].find((group) => {
        const members = this.#members.filter((member) => member.group === group);
        const generations = new Set(members.map(({ stableGeneration }) => stableGeneration));
        return generations.size > 1 || generations.has(-1);
      });
    for (let group = unstable(); group; group = unstable()) {
      const { groupId } = group;
      holds(this.scheduler.nowMs < deadlineMs, 'I11', () => `${groupId} does not become stable`);
      await this.scheduler.sleep(200);
    }
  }

  async #readAll(): Promise<void> {
    const reader = new Reader(this, this.#client(`reader-${this.#keeper.restarts}`));
    for (const log of this.ledger.topics().flatMap(({ logs }) => logs)) {
      const isWhole = await reader.readAll(log, reader.start(log, log.trimmed.most));
      holds(isWhole, 'I17', () => `${log.title} cannot be read to its end`);
      log.checkSequences();
    }
    while (this.#keyed !== undefined && !(await this.#keyed.check())) await this.scheduler.sleep(100);
  }

  /** After a restart all is read again, as far as the next fault lets it. */
  async #readAgain(node: Node): Promise<void> {
    const reader = new Reader(this, this.#client(`re-reader-${this.#keeper.restarts}`));
    for (const log of this.ledger.topics().flatMap(({ logs }) => logs)) {
      const position = reader.start(log, log.trimmed.most);
      let goesOn = true;
      while (goesOn && !(position.isRead && position.offset >= position.highWatermark)) {
        goesOn = await reader.fetch(new Map([[log, position]]), { maxWaitMs: 0, minBytes: 0 });
        if (node !== this.#keeper.node || this.phase !== 'wild' || log.isDoomed) return;
        await this.scheduler.sleep(2);
      }
    }
  }

  async #restartEqualsNoRestart(): Promise<void> {
    // By then all members have expired: the groups change no more.
    await this.scheduler.sleep(SESSION_TIMEOUT_MS + 2 * REBALANCE_TIMEOUT_MS);
    const { node } = this.#keeper;
    const stateNow = (of: Node) => {
      const logs = this.ledger.topics().flatMap((topic) => topic.logs.map(({ log }) => log));
      return stateOf(of, [...logs, ...this.#stage.keys(of)], this.kernels);
    };
    const before = node && stateNow(node);
    await this.#keeper.restart();
    await this.#keeper.heal();
    const after = this.#keeper.node;
    holds(before && after, 'I17', () => 'a healthy node runs');
    await after.openAll(before.keys());
    compareStates(before, stateNow(after));
  }

  #spawn(work: Promise<void>): void {
    work.catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Broken ? error : new Broken('I17', `it throws: ${traceOf(error)}`);
    this.scheduler.note(`FAILED: ${String(error)}`);
  }

  /** @returns whether it is over. */
  #afterEvent(): boolean {
    this.#keeper.look();
    holds(this.scheduler.eventsRun < EVENTS_MAX, 'I17', () => 'it goes on and on');
    return this.#isOver || this.#failure !== undefined;
  }

  #report(): SimulationReport {
    const { scheduler } = this;
    const { faults, restarts, disk } = this.#keeper;
    return {
      seed: this.#options.seed,
      failure: this.#failure,
      operations: this.#operations,
      faults,
      records: this.ledger.records,
      transactions: this.recorder.transactions,
      restarts,
      virtualMs: scheduler.nowMs - START_MS,
      events: scheduler.eventsRun,
      wildEvents: this.#wildEvents || scheduler.eventsRun,
      hashes: { events: scheduler.hash, files: hashOf(disk, this.kernels) },
      trace: scheduler.trace ?? [],
    };
  }
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function configOf(random: SeededRandom): NodeConfig {
  return {
    flush: random.chance(0.75) ? 'always' : 'never',
    segmentBytes: random.pick([16_000, 30_000, 80_000]),
    indexIntervalBytes: random.pick([100, 500, 4_096]),
    tailBytes: random.pick([0, 4_000, 60_000]),
    indexBytes: random.pick([0, 1_000, 100_000]),
    maxOpenFiles: random.pick([2, 8, 100]),
    snapshotEveryBytes: random.pick([1_500, 10_000, 100_000]),
  };
}

/** Of every file's name and bytes, those on the device too. */
function hashOf(disk: Disk, kernels: Kernels): number {
  const parts = disk.files().map(([path, inode]) => {
    const name = new TextEncoder().encode(path);
    return [name, inode.bytes, inode.durableBytes].map((bytes) => kernels.crc32c(bytes)).join(' ');
  });
  return kernels.crc32c(new TextEncoder().encode(parts.join('\n')));
}
