import { rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { ErrorCode } from '../../src/model/errors.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { MortalBroker } from '../support/mortal-broker.ts';
import { CommitLedger } from './commit-ledger.ts';
import { Committer } from './committer.ts';
import { Connection } from './connection.ts';
import { Group } from './group.ts';
import { KafkajsProducer, kafkajs } from './kafkajs-load.ts';
import { LogLedger } from './log-ledger.ts';
import { SeededRandom } from '../support/random.ts';
import { type RoundPlan, RoundProgress, TOGGLED_TOPIC, planRound } from './round.ts';
import { tear } from './tear.ts';
import { Topics } from './topics.ts';
import { checkCommits, readLog } from './verify.ts';
import { type Target, Writer, logOf } from './writer.ts';

/** What one round did and found. */
export interface RoundReport {
  round: number;
  acks: number;
  groupCommits: number;
  /** Batches sent and not acknowledged when the broker died. */
  onTheirWay: number;
  graceMs: number | undefined;
  stillbirthsMs: readonly number[];
  torn: string | undefined;
  readyMs: number;
  /** What was read and checked after the restart: everything. */
  records: number;
  sizeBytes: number;
  faults: string[];
}

export interface RoundOptions {
  /** Called while the broker is dead: a fault planted in its files, to see that it is found. */
  afterDeath?: () => Promise<void>;
}

/** Small segments, so that logs roll under load. */
const ROLLING = { name: 'crash-rolling', partitions: 3, configs: { 'segment.bytes': String(1024 * 1024) } };
const PLAIN = { name: 'crash-plain', partitions: 2 };
const TARGETS: readonly Target[] = [ROLLING, PLAIN].flatMap(({ name, partitions }) =>
  Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
);
const GROUP = 'crash-group';
const COMMITTED_BY_HAND = 'crash-positions';
const MEMBERS = 2;
/** A round that takes longer has a broker, a client or a group that hangs. */
const ROUND_MAX_MS = 30_000;
const POLL_MS = 20;

/** Kills a broker under load, again and again on one directory, and holds it to what it acknowledged. */
export class CrashRun {
  readonly #broker: MortalBroker;
  readonly #directory: string;
  readonly #kernels: Kernels;
  readonly #random: SeededRandom;
  readonly #faults: string[] = [];
  readonly #ledger = new LogLedger();
  readonly #commits = new CommitLedger();
  readonly #topics: Topics;
  readonly #writers: Writer[];
  readonly #committer: Committer;
  readonly #producer: KafkajsProducer;
  readonly #group: Group;
  readonly #producerIds = new Set<number>();
  #connections: Connection[] = [];

  static async start(directory: string, seed: number): Promise<CrashRun> {
    const broker = await MortalBroker.start(['--data', directory, '--flush', 'always']);
    const run = new CrashRun({
      broker,
      directory,
      kernels: await loadKernels(),
      random: new SeededRandom(seed),
    });
    await run.#prepare();
    return run;
  }

  private constructor(parts: {
    broker: MortalBroker;
    directory: string;
    kernels: Kernels;
    random: SeededRandom;
  }) {
    this.#broker = parts.broker;
    this.#directory = parts.directory;
    this.#kernels = parts.kernels;
    this.#random = parts.random;
    const onFault = (fault: string) => void this.#faults.push(fault);
    const kafka = kafkajs(parts.broker.port);
    const shared = () => ({
      kernels: parts.kernels,
      ledger: this.#ledger,
      commits: this.#commits,
      random: parts.random.fork(),
      onFault,
    });
    this.#topics = new Topics(shared());
    this.#writers = [
      new Writer(shared(), { name: 'exact-1', targets: TARGETS, isIdempotent: true }),
      new Writer(shared(), { name: 'exact-2', targets: TARGETS.slice(0, 2), isIdempotent: true }),
      new Writer(shared(), { name: 'plain', targets: TARGETS, isIdempotent: false }),
    ];
    this.#committer = new Committer(COMMITTED_BY_HAND, { ...shared(), targets: TARGETS });
    this.#producer = new KafkajsProducer(kafka, { ...shared(), targets: TARGETS });
    this.#group = new Group({ ...shared(), kafka, group: GROUP, topics: [ROLLING.name, PLAIN.name] });
  }

  /** What the broker said on stderr. */
  get warnings(): readonly string[] {
    return this.#broker.warnings;
  }

  get readyMs(): readonly number[] {
    return this.#broker.readyMs;
  }

  /** Members of the group that kafkajs ended by itself. */
  get membersGaveUp(): number {
    return this.#group.gaveUp;
  }

  get acknowledgedRecords(): number {
    return this.#ledger.ackedCount();
  }

  async #prepare(): Promise<void> {
    const connection = await Connection.open(this.#broker.port);
    for (const topic of [ROLLING, PLAIN]) await this.#topics.create(connection, topic);
    await findCoordinator(connection, COMMITTED_BY_HAND);
    connection.close();
    for (let i = 0; i < MEMBERS; i++) this.#group.add();
  }

  /** Load, death, perhaps some more deaths and torn files, a new life, and a look at everything. */
  async round(round: number, { afterDeath = async () => {} }: RoundOptions = {}): Promise<RoundReport> {
    const random = this.#random.fork();
    const plan = planRound(random);
    const progress = await this.#loadUntilKilled(plan);
    const onTheirWay = this.#writers.reduce((sum, writer) => sum + writer.pendingCount, 0);
    const torn = plan.tear && (await tear(this.#directory, plan.tear, random));
    await afterDeath();
    for (const killAfterMs of plan.stillbirthsMs) await this.#broker.stillbirth(killAfterMs);
    await this.#broker.revive();
    const { records, sizeBytes } = await this.#verify();
    const { acks, groupCommits } = progress;
    return {
      round,
      acks,
      groupCommits,
      onTheirWay,
      graceMs: plan.graceMs,
      stillbirthsMs: plan.stillbirthsMs,
      torn,
      readyMs: this.#broker.readyMs.at(-1) ?? 0,
      records,
      sizeBytes,
      faults: this.#faults.splice(0),
    };
  }

  async #loadUntilKilled(plan: RoundPlan): Promise<RoundProgress> {
    const dead = Promise.withResolvers<void>();
    const progress = new RoundProgress(plan, () => {
      const end = plan.graceMs === undefined ? this.#broker.kill() : this.#broker.stopOrKill(plan.graceMs);
      end.then(dead.resolve, dead.reject);
    });
    const started = this.#startLoad(plan, progress);
    await this.#within(
      () => `the load never came to the kill, a client or the group is stuck: ${progress.describe()}`,
      dead.promise,
    );
    progress.kill();
    await dead.promise;
    await started;
    for (const connection of this.#connections.splice(0)) await connection.closed;
    return progress;
  }

  async #startLoad(plan: RoundPlan, progress: RoundProgress): Promise<void> {
    if (plan.changesMember) {
      this.#group.removeOldest();
      this.#group.add();
    }
    const open = async () => {
      const connection = await Connection.open(this.#broker.port);
      this.#connections.push(connection);
      return connection;
    };
    const connections = await Promise.all([...this.#writers.map(open), open(), open()]);
    const [forCommits, forTopics] = connections.slice(-2) as [Connection, Connection];
    this.#group.resume(progress);
    this.#producer.resume(progress);
    this.#committer.resume(forCommits, progress);
    await Promise.all([
      ...this.#writers.map((writer, index) => writer.resume(connections[index] as Connection, progress)),
      plan.togglesTopic !== undefined && this.#toggle(plan.togglesTopic, forTopics, progress),
    ]);
  }

  async #toggle(name: string, connection: Connection, progress: RoundProgress): Promise<void> {
    if (this.#topics.has(name)) return this.#topics.delete(connection, name, progress);
    await this.#topics.create(connection, { name, partitions: 2 }, progress);
    await this.#topics.writeFirst(connection, name, progress);
  }

  /** Nothing but reading: everything that was ever acknowledged must be there. */
  async #verify(): Promise<{ records: number; sizeBytes: number }> {
    const connection = await Connection.open(this.#broker.port);
    await this.#topics.check(connection);
    await this.#checkProducerId(connection);
    const commits = this.#commits;
    for (const group of [GROUP, COMMITTED_BY_HAND]) {
      this.#faults.push(...(await checkCommits(connection, { group, targets: TARGETS, commits })));
    }
    let sizeBytes = 0;
    let records = 0;
    const toggled = this.#topics.logs((name) => name.startsWith(TOGGLED_TOPIC));
    const lasting = TARGETS.map((target) => ({ target, log: logOf(target) }));
    for (const { target, log } of [...lasting, ...toggled]) {
      const check = this.#ledger.check(log, { kernels: this.#kernels, codecs: nodeCodecs(this.#kernels) });
      sizeBytes += await readLog(connection, target, check);
      records += check.nextOffset;
      this.#faults.push(...check.faults.slice(0, 5));
    }
    connection.close();
    return { records, sizeBytes };
  }

  /** An id is given once, whatever was forgotten. */
  async #checkProducerId(connection: Connection): Promise<void> {
    for (const { producerId } of this.#writers) this.#producerIds.add(producerId);
    const request = { transactionalId: null, transactionTimeoutMs: 0 };
    const { producerId, errorCode } = await connection.request(initProducerIdApi, 4, request);
    if (errorCode !== 0) this.#faults.push(`no producer id: error ${errorCode}`);
    else if (this.#producerIds.has(producerId)) this.#faults.push(`producer id ${producerId} given twice`);
    this.#producerIds.add(producerId);
  }

  /** What is on its way arrives, the group reads to the end, the broker stops. @returns what is wrong then. */
  async stop(): Promise<string[]> {
    await this.#within('kafkajs could not end its last send', this.#producer.stop());
    await this.#verify();
    await this.#within('the group never came to the end', this.#groupAtEnd());
    await this.#within('the group could not leave', this.#group.stop());
    await this.#broker.stop();
    await rm(this.#directory, { recursive: true, force: true });
    return this.#faults.splice(0);
  }

  async #groupAtEnd(): Promise<void> {
    const isBehind = (target: Target) =>
      this.#group.position(logOf(target)) < this.#ledger.end(logOf(target));
    while (TARGETS.some(isBehind)) await setTimeout(POLL_MS);
  }

  async #within(fault: string | (() => string), work: Promise<unknown>): Promise<void> {
    const ended = await Promise.race([
      work.then(() => true),
      setTimeout(ROUND_MAX_MS, false, { ref: false }),
    ]);
    if (!ended) this.#faults.push(typeof fault === 'string' ? fault : fault());
  }
}

/** Clients ask this first; the first one asked for makes the topic of the offsets. */
async function findCoordinator(connection: Connection, group: string): Promise<void> {
  for (;;) {
    const { errorCode } = await connection.request(findCoordinatorApi, 3, { key: group });
    if (errorCode === 0) return;
    if (errorCode !== ErrorCode.COORDINATOR_NOT_AVAILABLE) throw new Error(`no coordinator: ${errorCode}`);
  }
}
