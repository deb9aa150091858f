import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { joinGroupApi, type JoinGroupResponse } from '../../src/wire/apis/11-join-group.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import {
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from '../../src/wire/consumer-protocol.ts';
import type { Coordinator } from './coordinator.ts';

const SESSION_MS = 10_000;
const REBALANCE_MS = 15_000;

interface ClassicOptions {
  coordinator: Coordinator;
  name: string;
  instanceId?: string;
  /** What else it says in an assignment it makes. */
  userData?: Uint8Array;
}

/** A cooperative consumer by the classic protocol: joins, syncs, gives up what it is not given, and joins again. */
export class ClassicConsumer {
  readonly #options: ClassicOptions;
  memberId = '';
  generationId = -1;
  phase: 'out' | 'joining' | 'joined' | 'syncing' | 'in' = 'out';
  readonly owned = new Set<string>();
  #leads: JoinGroupResponse['members'] = [];
  #mustRejoin = false;
  lastError = 0;

  constructor(options: ClassicOptions) {
    this.#options = options;
  }

  get reads(): string[] {
    return [...this.owned].sort();
  }

  /** The next thing a client in its place would do; nothing while it waits. */
  step(): void {
    if (this.phase === 'out' || (this.phase === 'in' && this.#mustRejoin)) this.#join();
    else if (this.phase === 'joined') this.#sync();
    else if (this.phase === 'in') this.beat();
  }

  leave(): void {
    const members = [{ memberId: this.memberId, groupInstanceId: this.#options.instanceId ?? null }];
    this.#coordinator.ask(leaveGroupApi, { groupId: 'g', members }, this.#asking);
    this.#forget();
  }

  get #coordinator(): Coordinator {
    return this.#options.coordinator;
  }

  get #asking() {
    return { client: this.#options.name };
  }

  #join(): void {
    this.phase = 'joining';
    this.#mustRejoin = false;
    const metadata = writeSubscription({
      topics: ['t'],
      userData: null,
      ownedPartitions: listsOf(this.owned),
      generationId: this.generationId,
      rackId: null,
    });
    const body = {
      groupId: 'g',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: this.memberId,
      groupInstanceId: this.#options.instanceId ?? null,
      protocolType: 'consumer',
      protocols: [{ name: 'cooperative-sticky', metadata }],
    };
    this.#coordinator.send(joinGroupApi, body, this.#asking, (answer) => this.#joined(answer));
  }

  #joined({ errorCode, memberId, generationId, leader, members }: JoinGroupResponse): void {
    this.#failed(errorCode);
    if (errorCode === 79) this.memberId = memberId;
    if (errorCode !== 0) return;
    this.phase = 'joined';
    this.memberId = memberId;
    this.generationId = generationId;
    this.#leads = leader === memberId ? members : [];
  }

  #sync(): void {
    this.phase = 'syncing';
    const body = {
      ...this.#identity,
      protocolType: 'consumer',
      protocolName: 'cooperative-sticky',
      assignments: this.#assignments(),
    };
    this.#coordinator.send(syncGroupApi, body, this.#asking, ({ errorCode, assignment }) => {
      this.#failed(errorCode);
      if (errorCode === 0) this.#take(assignment);
    });
  }

  /** A leader gives each what it has, and what nobody has to whoever has least; what must move is held back. */
  #assignments(): { memberId: string; assignment: Uint8Array }[] {
    const count = this.#coordinator.topics.topic('t')?.partitions.length ?? 0;
    const most = Math.ceil(count / Math.max(1, this.#leads.length));
    const shares = this.#leads.map(({ memberId, metadata }) => {
      const owned = readSubscription(metadata)?.ownedPartitions.flatMap(({ partitions }) => partitions) ?? [];
      return { memberId, owned, partitions: owned.slice(0, most) };
    });
    const taken = new Set(shares.flatMap(({ owned }) => owned));
    for (let partition = 0; partition < count; partition++) {
      if (taken.has(partition)) continue;
      const least = shares.toSorted((a, b) => a.partitions.length - b.partitions.length)[0];
      least?.partitions.push(partition);
    }
    const { userData = null } = this.#options;
    return shares.map(({ memberId, partitions }) => {
      const assignedPartitions = partitions.length === 0 ? [] : [{ topic: 't', partitions }];
      return { memberId, assignment: writeAssignment({ assignedPartitions, userData }, 1) };
    });
  }

  #take(assignment: Uint8Array): void {
    this.phase = 'in';
    const lists = assignment.length === 0 ? [] : readAssignment(assignment).assignedPartitions;
    const told = new Set(
      lists.flatMap(({ topic, partitions }) => partitions.map((one) => `${topic}/${one}`)),
    );
    this.#mustRejoin = [...this.owned].some((title) => !told.has(title));
    this.owned.clear();
    for (const title of told) this.owned.add(title);
  }

  /** Beats alone, whatever it was told. */
  beat(): void {
    const { errorCode } = this.#coordinator.ask(heartbeatApi, this.#identity, this.#asking);
    if (errorCode === 27) this.#mustRejoin = true;
    else this.#failed(errorCode);
  }

  #failed(errorCode: number): void {
    this.lastError = errorCode;
    if (errorCode === 0) return;
    this.phase = 'out';
    if (errorCode === 25 || errorCode === 82) this.#forget();
  }

  #forget(): void {
    this.owned.clear();
    this.memberId = '';
    this.generationId = -1;
    this.phase = 'out';
  }

  get #identity() {
    const { generationId, memberId } = this;
    return { groupId: 'g', generationId, memberId, groupInstanceId: this.#options.instanceId ?? null };
  }
}

function listsOf(titles: Iterable<string>): { topic: string; partitions: number[] }[] {
  const partitions = [...titles].map((title) => Number(title.split('/')[1]));
  return partitions.length === 0 ? [] : [{ topic: 't', partitions }];
}
