import type { Kernels } from '../../kernels/kernels.ts';
import type { Millis } from '../../model/ids.ts';
import { Broken, holds } from './broken.ts';
import { Disk } from './disk.ts';
import { type DiskCounters, healthyDisk } from './files.ts';
import type { GroupLedger } from './group-ledger.ts';
import type { Excuse, Ledger, LogLedger } from './ledger.ts';
import { FAULTS, type Fault, type FaultKind } from './nemesis.ts';
import { DATA, Node, type NodeConfig, Process, type Seams } from './node.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { TxnStage } from './txn/stage.ts';
import { Watch } from './watch.ts';

export interface KeeperParts {
  scheduler: Scheduler;
  random: SeededRandom;
  kernels: Kernels;
  config: NodeConfig;
  seams: Seams;
  ledger: Ledger;
  groups: ReadonlyMap<string, GroupLedger>;
  stage: TxnStage;
  /** Runs what nobody waits for; its failure ends the simulation. */
  spawn: (work: Promise<void>) => void;
  onStarted: (node: Node) => void;
}

/** How long a healthy node may take to start. */
const START_MAX_MS = 30_000;
const START_AGAIN_MS: [least: Millis, most: Millis] = [20, 1_200];

/** Keeps a node running on one disk, and lets all befall it that the seed says. */
export class Keeper {
  readonly disk = new Disk();
  readonly faults = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  restarts = 0;
  /** For whom it is to be reached; undefined while it stops. */
  node: Node | undefined;
  /** As long as its process lives: while it stops it answers what it was asked before, and may open a log for that. */
  #running: Node | undefined;
  readonly #parts: KeeperParts;
  readonly #diskState = healthyDisk();
  readonly #counters: DiskCounters = { failed: 0, refused: 0, flipped: [] };
  readonly #watch: Watch;
  #life: Process | undefined;
  #powerCuts = 0;
  /** Power cuts there had been when the metadata was looked at last. */
  #powerCutsChecked = 0;
  /** Power cuts there had been when a log was opened last. */
  readonly #powerCutsSeen = new Map<LogLedger, number>();
  /** Windows of disk faults that are open. */
  readonly #open = new Map<FaultKind, number>();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#watch = new Watch(
      parts.ledger,
      (log) => this.#excuseFor(log),
      () => parts.scheduler.nowMs,
    );
  }

  /** To be called after every event. */
  look(): void {
    if (this.#running === undefined) return;
    this.#watch.look(this.#running);
    this.#parts.stage.look(this.#running);
  }

  /** Whether a wrong bit was read of that log by the process that runs, from `sinceMs` on. */
  wasFlipped({ title }: { title: string }, sinceMs: Millis): boolean {
    const directory = `${DATA}/${title}/`;
    return this.#counters.flipped.some(({ path, atMs }) => atMs >= sinceMs && path.startsWith(directory));
  }

  /** Starts a process, and another one when the disk does not let it. */
  start(): void {
    this.#parts.spawn(this.#start());
  }

  async #start(): Promise<void> {
    const { scheduler } = this.#parts;
    if (this.#life) return;
    const life = new Process({
      ...this.#parts,
      disk: this.disk,
      diskState: this.#diskState,
      diskCounters: this.#counters,
      decisions: this.#parts.stage.decisions,
      onWarning: (message) => scheduler.note(`warning: ${message}`),
    });
    this.#life = life;
    this.#counters.flipped = [];
    const isExcused = this.#diskFails();
    scheduler.note('the node starts');
    try {
      const node = await Node.start(life);
      if (life !== this.#life) return;
      this.node = node;
      this.#running = node;
      scheduler.note('the node has started');
      this.#checkTopics(node);
      this.#parts.onStarted(node);
    } catch (error) {
      if (error instanceof Broken) throw error;
      if (life !== this.#life) return;
      holds(isExcused(), 'I17', () => `the node does not start: ${String(error)}`);
      scheduler.note(`the node cannot start: ${String(error)}`);
      this.#stopped(life);
      this.#startSoon();
    }
  }

  /** What metadata knew it knows, but for what it may have lost. */
  #checkTopics({ core: { image } }: Node): void {
    const { config, ledger, groups, scheduler } = this.#parts;
    const isThere = ({ topic, partition }: LogLedger) => image.partition(topic.id, partition) !== undefined;
    const wasCut = this.#powerCuts > this.#powerCutsChecked;
    this.#powerCutsChecked = this.#powerCuts;
    if (config.flush === 'never' && wasCut) {
      ledger.keepOnly(isThere);
      ledger.hasLostMetadata = true;
      // Leader epochs may come again, too: readers are told of divergence where there is none.
      for (const log of ledger.topics().flatMap(({ logs }) => logs)) log.mayDiffer(scheduler.nowMs);
      for (const group of groups.values()) group.forget();
    }
    for (const log of ledger.topics().flatMap(({ logs }) => logs))
      holds(isThere(log), 'I1', () => `${log.title} was there before the restart`);
  }

  #excuseFor(log: LogLedger): Excuse {
    const seen = this.#powerCutsSeen.get(log) ?? 0;
    this.#powerCutsSeen.set(log, this.#powerCuts);
    const isExcused = this.#parts.config.flush === 'never' && this.#powerCuts > seen;
    return isExcused ? 'power cut without flushes' : 'none';
  }

  /** @returns whether a call to the disk has failed since: the disk may be well again when who made it says so. */
  #diskFails(): () => boolean {
    const failures = () => this.#counters.failed + this.#counters.refused;
    const before = failures();
    return () => failures() > before;
  }

  #startSoon(least = START_AGAIN_MS[0], most = START_AGAIN_MS[1]): void {
    const { scheduler, random } = this.#parts;
    scheduler.after(random.between(least, most), 'start again', () => this.start());
  }

  #stopped(life: Process, machine = false): void {
    life.kill(machine);
    if (!machine) for (const [, inode] of this.disk.files()) inode.writeBack();
    this.#life = undefined;
    this.node = undefined;
    this.#running = undefined;
  }

  #crash(machine: boolean): void {
    if (this.#life === undefined) return;
    this.restarts++;
    this.#stopped(this.#life, machine);
    if (machine) {
      this.#powerCuts++;
      this.disk.cutPower(this.#parts.random);
    }
  }

  /** Stops the node as its host does, and starts it again. */
  async restart(): Promise<void> {
    const life = this.#life;
    const node = this.node;
    if (life === undefined || node === undefined) return;
    this.node = undefined;
    this.restarts++;
    const isExcused = this.#diskFails();
    try {
      await node.stop();
    } catch (error) {
      if (life === this.#life) holds(isExcused(), 'I17', () => `the node does not stop: ${String(error)}`);
    }
    if (life !== this.#life) return;
    this.#stopped(life);
    await this.#start();
  }

  befall({ kind, lastsMs }: Fault): void {
    const { scheduler, random, spawn } = this.#parts;
    scheduler.note(`fault: ${kind}`);
    if (kind === 'restart') return spawn(this.restart());
    this.faults[kind]++;
    switch (kind) {
      case 'kill':
      case 'power cut':
        this.#crash(kind === 'power cut');
        return this.#startSoon();
      case 'kill while starting':
        this.#crash(random.chance(0.5));
        this.#startSoon(1, 5);
        scheduler.after(random.between(5, 40), 'kill', () => {
          this.#crash(random.chance(0.5));
          this.#startSoon();
        });
        return;
      case 'cut connection':
      case 'half-open connection':
      case 'slow connection':
        return this.#disturb(kind);
      default:
        return this.#sicken(kind, lastsMs);
    }
  }

  #disturb(kind: FaultKind): void {
    const { random } = this.#parts;
    for (const link of this.node?.links ?? []) {
      if (!random.chance(0.4)) continue;
      if (kind === 'cut connection') link.cut();
      else if (kind === 'half-open connection') link.halfOpen();
      else link.slow(random.between(20, 300));
    }
  }

  #sicken(kind: FaultKind, lastsMs: Millis): void {
    const { scheduler } = this.#parts;
    this.#open.set(kind, (this.#open.get(kind) ?? 0) + 1);
    this.#setDisk();
    scheduler.after(lastsMs, `end of ${kind}`, () => {
      const left = (this.#open.get(kind) ?? 1) - 1;
      if (left > 0) this.#open.set(kind, left);
      else this.#open.delete(kind);
      this.#setDisk();
    });
  }

  #setDisk(): void {
    const isOpen = (kind: FaultKind) => this.#open.has(kind);
    this.#diskState.slowness = isOpen('slow disk') ? 60 : 1;
    this.#diskState.failRatio = isOpen('failing disk') ? 0.08 : 0;
    this.#diskState.full = isOpen('full disk');
    this.#diskState.flipRatio = isOpen('flipped bits') ? 0.4 : 0;
  }

  /** Nothing bad happens any more. Resolves once the node runs. */
  async heal(): Promise<void> {
    const { scheduler } = this.#parts;
    this.#open.clear();
    this.#setDisk();
    for (const link of this.node?.links ?? []) link.slow(1);
    const deadlineMs = scheduler.nowMs + START_MAX_MS;
    while (this.node === undefined) {
      holds(scheduler.nowMs < deadlineMs, 'I17', () => 'the node does not come up again');
      await scheduler.sleep(50);
    }
  }
}
