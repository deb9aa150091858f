import type { GroupConfig } from '../../src/group/index.ts';
import type { MachineRecord } from '../../src/model/machine.ts';
import { decodeRecord } from '../../src/group/records.ts';
import { subscriptionPrefix, topicsOf } from '../../src/group/subscription.ts';
import { encodeMessage } from '../../src/wire/codec.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { bytes, Coordinator, text } from './coordinator.ts';

const GROUP = 'g';

interface Client {
  memberId: string;
  generationId: number;
}

/**
 * Runs a story: `time > command`, each line followed by what came of it. Clients are named by a letter and
 * remember the member id and generation they were last told. Time in milliseconds; what falls due on the way
 * is told as `tick`. Commands: `join a [protocols=range:t1+t2/owned,rr:t1] [instance=i] [session=]
 * [rebalance=] [id=] [v=]`, `sync a [a=x b=y]`, `beat a`, `leave a [instance=i]`, `commit a topic-0=5`,
 * `fetch topic-0`, `lost a` (its connection), `describe`, `reload`, `wait`; `config name=value` before all.
 */
export class Story {
  #coordinator = new Coordinator();
  readonly #clients = new Map<string, Client>();
  readonly #lines: string[] = [];

  run(source: string): string {
    for (const line of source.split('\n')) {
      if (line === '' || line.startsWith('#')) this.#lines.push(line);
      const command = /^ *(\d+) > (\w+) ?(.*)$/.exec(line);
      if (command) this.#step(Number(command[1]), command[2] ?? '', (command[3] ?? '').split(' '), line);
    }
    return `${this.#lines.join('\n').trimEnd()}\n`;
  }

  #step(atMs: number, name: string, words: string[], line: string): void {
    this.#coordinator.pass(atMs, (tickMs, records) => {
      this.#lines.push(`${String(tickMs).padStart(6)} tick`);
      this.#tell(this.#said, records);
    });
    this.#lines.push(line);
    const named = words.filter((word) => word.includes('='));
    const options = new Map(named.map((word) => word.split('=') as [string, string]));
    const [client = ''] = words;
    this.#tell(this.#said, this.#command(name, client, options));
  }

  #said: string[] = [];

  /** Records were written before replies are sent. */
  #tell(said: string[], records: readonly MachineRecord[]): void {
    for (const record of records) this.#lines.push(`         + ${describeRecord(record)}`);
    for (const each of said) this.#lines.push(`         ${each}`);
    this.#said = [];
  }

  #command(name: string, client: string, options: Map<string, string>): readonly MachineRecord[] {
    switch (name) {
      case 'config':
        this.#coordinator = new Coordinator(numbers(options) as Partial<GroupConfig>);
        return [];
      case 'join':
        return this.#join(client, options);
      case 'sync':
        return this.#sync(client, options);
      case 'beat':
        return this.#beat(client);
      case 'leave':
        return this.#leave(client, options);
      case 'commit':
        return this.#commit(client, options);
      case 'fetch':
        return this.#fetch();
      case 'describe':
        return this.#describe();
      case 'lost':
        this.#coordinator.machine.forget(linkOf(client));
        return [];
      case 'reload':
        this.#coordinator.reload();
        return [];
      case 'wait':
        return [];
      default:
        throw new Error(`no command ${name}`);
    }
  }

  #client(name: string): Client {
    const client = this.#clients.get(name) ?? { memberId: '', generationId: -1 };
    this.#clients.set(name, client);
    return client;
  }

  #join(name: string, options: Map<string, string>): MachineRecord[] {
    const client = this.#client(name);
    const instance = options.get('instance') ?? null;
    const protocols = (options.get('protocols') ?? 'range:t1').split(',').map((protocol) => {
      const [protocolName = '', metadata = ''] = protocol.split(':');
      return { name: protocolName, metadata: subscription(metadata) };
    });
    const body = {
      groupId: GROUP,
      sessionTimeoutMs: Number(options.get('session') ?? 10_000),
      rebalanceTimeoutMs: Number(options.get('rebalance') ?? 60_000),
      memberId: options.get('id') ?? client.memberId,
      groupInstanceId: instance,
      protocolType: 'consumer',
      protocols,
    };
    const version = Number(options.get('v') ?? 9);
    return this.#coordinator.send(
      joinGroupApi,
      body,
      { client: name, version, link: linkOf(name) },
      (reply) => {
        if (reply.memberId !== '') client.memberId = reply.memberId;
        if (reply.errorCode === 0) client.generationId = reply.generationId;
        const members = reply.members.map(
          ({ memberId, metadata }) => `${memberId}:${topicsOf(metadata)?.join('+')}`,
        );
        const skips = reply.skipAssignment ? ' skipAssignment' : '';
        this.#said.push(
          reply.errorCode === 0
            ? `${name} < joined ${reply.memberId} generation=${reply.generationId} ${reply.protocolName} ` +
                `leader=${reply.leader} [${members.join(' ')}]${skips}`
            : `${name} < join error ${reply.errorCode} ${reply.memberId}`.trimEnd(),
        );
      },
    );
  }

  #sync(name: string, options: Map<string, string>): MachineRecord[] {
    const { memberId, generationId } = this.#client(name);
    const assignments = [...options].map(([to, assignment]) => ({
      memberId: this.#client(to).memberId,
      assignment: bytes(assignment),
    }));
    const body = { groupId: GROUP, generationId, memberId, groupInstanceId: null, assignments };
    return this.#coordinator.send(syncGroupApi, body, { client: name, link: linkOf(name) }, (reply) => {
      const result =
        reply.errorCode === 0 ? `assigned '${text(reply.assignment)}'` : `sync error ${reply.errorCode}`;
      this.#said.push(`${name} < ${result}`);
    });
  }

  #beat(name: string): MachineRecord[] {
    const { memberId, generationId } = this.#client(name);
    const body = { groupId: GROUP, generationId, memberId };
    return this.#coordinator.send(heartbeatApi, body, { client: name }, ({ errorCode }) =>
      this.#said.push(`${name} < beat ${errorCode}`),
    );
  }

  #leave(name: string, options: Map<string, string>): MachineRecord[] {
    const groupInstanceId = options.get('instance') ?? null;
    const memberId = groupInstanceId === null ? this.#client(name).memberId : '';
    const body = { groupId: GROUP, members: [{ memberId, groupInstanceId }] };
    return this.#coordinator.send(leaveGroupApi, body, { client: name }, ({ errorCode, members }) =>
      this.#said.push(`${name} < leave ${errorCode || (members[0]?.errorCode ?? 0)}`),
    );
  }

  #commit(name: string, options: Map<string, string>): MachineRecord[] {
    const { memberId, generationId } = this.#client(name);
    const topics = [...options].map(([partition, offset]) => ({
      name: partition.slice(0, -2),
      partitions: [
        {
          partitionIndex: Number(partition.slice(-1)),
          committedOffset: Number(offset),
          committedMetadata: null,
        },
      ],
    }));
    const body = { groupId: GROUP, generationIdOrMemberEpoch: generationId, memberId, topics };
    return this.#coordinator.send(offsetCommitApi, body, { client: name, version: 9 }, (reply) =>
      this.#said.push(
        `${name} < commit ${reply.topics.map((topic) => topic.partitions[0]?.errorCode).join(' ')}`,
      ),
    );
  }

  #fetch(): MachineRecord[] {
    const body = { groups: [{ groupId: GROUP, topics: null }] };
    const { groups } = this.#coordinator.ask(offsetFetchApi, body, { client: 'admin', version: 9 });
    const positions = groups[0]?.topics.flatMap((topic) =>
      topic.partitions.map((each) => `${topic.name}-${each.partitionIndex}=${each.committedOffset}`),
    );
    this.#said.push(`< [${positions?.join(' ')}]`);
    return [];
  }

  #describe(): MachineRecord[] {
    const { groups } = this.#coordinator.ask(
      describeGroupsApi,
      { groups: [GROUP] },
      { client: 'admin', version: 5 },
    );
    for (const { groupState, members } of groups) {
      const each = members.map(({ memberId, memberAssignment }) => `${memberId}:${text(memberAssignment)}`);
      this.#said.push(`< ${groupState} [${each.join(' ')}]`);
    }
    return [];
  }
}

function numbers(options: Map<string, string>): Record<string, number> {
  return Object.fromEntries([...options].map(([name, value]) => [name, Number(value)]));
}

/** `t1+t2/more` in Kafka's bytes: version 0, the topics, and what only the members understand. */
function subscription(metadata: string): Uint8Array {
  const [topics = '', more = ''] = metadata.split('/');
  const prefix = encodeMessage(subscriptionPrefix, 0, { topics: topics.split('+') });
  return Uint8Array.from([0, 0, ...prefix, ...bytes(more)]);
}

/** One connection a client. */
function linkOf(client: string): number {
  return client.charCodeAt(0);
}

function describeRecord(record: MachineRecord): string {
  const decoded = decodeRecord(record);
  if (decoded?.type === 'offset') {
    const { topic, partition } = decoded.key;
    return `position ${topic}-${partition} ${decoded.value ? decoded.value.offset : 'tombstone'}`;
  }
  if (decoded?.type !== 'group') return decoded?.type ?? 'unknown';
  if (!decoded.value) return 'group tombstone';
  const { generation, protocol, leader, members } = decoded.value;
  const each = members.map(({ memberId, assignment }) => `${memberId}:${text(assignment)}`);
  return `group generation=${generation} protocol=${protocol} leader=${leader} [${each.join(' ')}]`;
}
