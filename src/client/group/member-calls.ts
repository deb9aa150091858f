import { ErrorCode } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import { joinGroupApi, type JoinGroupResponse } from '../../wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../wire/apis/13-leave-group.ts';
import { syncGroupApi, type SyncGroupRequest } from '../../wire/apis/14-sync-group.ts';
import { CONSUMER_PROTOCOL } from '../../wire/consumer-protocol.ts';
import { abortable } from '../retry.ts';
import type { Coordinator } from './coordinator.ts';
import { type AskOptions, check, type Identity } from './offsets.ts';

const JOIN_VERSIONS = { min: 1, max: 9 };
const SYNC_VERSIONS = { min: 0, max: 5 };
const HEARTBEAT_VERSIONS = { min: 0, max: 4 };
const LEAVE_VERSIONS = { min: 0, max: 5 };
/** JoinGroup is answered within the rebalance timeout; then at most so long for the way. */
const JOIN_SLACK_MS = 5_000;

export interface MemberCallsOptions {
  coordinator: Coordinator;
  groupId: string;
  instanceId: string | null;
  sessionTimeoutMs: Millis;
  rebalanceTimeoutMs: Millis;
}

/** What a member asks of its coordinator. All throw BrokerError with what it says of the member, or ConnectionLost. */
export class MemberCalls {
  readonly #options: MemberCallsOptions;
  #naming: Promise<unknown> = Promise.resolve();

  constructor(options: MemberCallsOptions) {
    this.#options = options;
  }

  /** Resolves once no answer is under way that gives a new member its id. */
  get named(): Promise<unknown> {
    return this.#naming;
  }

  /**
   * Resolves when all members have joined.
   * @param memberId empty for a new one, which is given its id (KIP-394) and told at once: others wait for a member
   *   that does not come and cannot leave.
   */
  async join(
    memberId: string,
    protocols: readonly { name: string; metadata: Uint8Array }[],
    { signal, told }: AskOptions & { told: (memberId: string) => void },
  ): Promise<JoinGroupResponse> {
    const { coordinator, groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const who = { groupId, groupInstanceId: instanceId, protocolType: CONSUMER_PROTOCOL };
    const timeouts = { sessionTimeoutMs, rebalanceTimeoutMs };
    const timeoutMs = rebalanceTimeoutMs + JOIN_SLACK_MS;
    const ask = (id: string, until?: AbortSignal) =>
      coordinator.ask('joining', { timeoutMs, signal: until }, async (exchange, options) => {
        const request = { ...who, ...timeouts, memberId: id, protocols: [...protocols] };
        const answer = await exchange.request(joinGroupApi, JOIN_VERSIONS, request, options);
        if (answer.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) check(answer.errorCode, `group ${groupId}`);
        return answer;
      });
    const first = ask(memberId, memberId === '' ? undefined : signal);
    this.#naming = first.then(({ memberId: id }) => told(id)).catch(() => {});
    const answer = await abortable(first, signal);
    if (answer.errorCode === ErrorCode.NONE) return answer;
    const second = await ask(answer.memberId, signal);
    check(second.errorCode, `group ${groupId}`);
    return second;
  }

  /** Resolves with this member's assignment once the leader has given its. */
  async sync(
    by: Identity,
    protocolName: string | null,
    assignments: SyncGroupRequest['assignments'],
    { signal }: AskOptions,
  ): Promise<Uint8Array> {
    const { coordinator, groupId, rebalanceTimeoutMs } = this.#options;
    const request = { ...this.#who(by), protocolType: CONSUMER_PROTOCOL, protocolName, assignments };
    const timeoutMs = rebalanceTimeoutMs + JOIN_SLACK_MS;
    return coordinator.ask('joining', { timeoutMs, signal }, async (exchange, options) => {
      const answer = await exchange.request(syncGroupApi, SYNC_VERSIONS, request, options);
      check(answer.errorCode, `group ${groupId}`);
      return answer.assignment;
    });
  }

  async heartbeat(by: Identity, { signal }: AskOptions): Promise<void> {
    const { coordinator, groupId } = this.#options;
    await coordinator.ask('living', { signal }, async (exchange, options) => {
      const answer = await exchange.request(heartbeatApi, HEARTBEAT_VERSIONS, this.#who(by), options);
      check(answer.errorCode, `group ${groupId}`);
    });
  }

  async leave({ memberId, instanceId }: Identity, { signal }: AskOptions): Promise<void> {
    const { coordinator, groupId } = this.#options;
    const members = [{ memberId, groupInstanceId: instanceId, reason: 'the consumer is closed' }];
    await coordinator.ask('living', { signal }, async (exchange, options) => {
      const request = { groupId, memberId, members };
      const answer = await exchange.request(leaveGroupApi, LEAVE_VERSIONS, request, options);
      check(answer.errorCode, `group ${groupId}`);
    });
  }

  #who({ generationId, memberId, instanceId }: Identity) {
    return { groupId: this.#options.groupId, generationId, memberId, groupInstanceId: instanceId };
  }
}
