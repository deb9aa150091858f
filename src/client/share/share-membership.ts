import { ErrorCode } from '../../model/errors.ts';
import type { Millis, Uuid } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { shareGroupHeartbeatApi } from '../../wire/apis/76-share-group-heartbeat.ts';
import { BrokerError } from '../errors.ts';
import type { Coordinator } from '../group/coordinator.ts';
import { verdictOn } from '../group/verdict.ts';
import { pause } from '../retry.ts';

const VERSIONS = { min: 1, max: 1 };
const LEAVE_EPOCH = -1;
/** Until the broker has said how often it wants to hear. */
const FIRST_INTERVAL_MS = 5_000;
/** While it has nothing yet: others have come at the same time. */
const EAGER_INTERVAL_MS = 250;

export interface SharePartitions {
  topicId: Uuid;
  partitions: readonly number[];
}

export interface ShareMembershipOptions {
  coordinator: Coordinator;
  clock: Clock;
  groupId: string;
  memberId: string;
  topics: readonly string[];
  /** It is to read these, and no others. */
  assigned: (partitions: readonly SharePartitions[]) => void;
  signal: AbortSignal;
}

/** One member of a share group, from its first heartbeat until it leaves (KIP-932). */
export class ShareMembership {
  readonly #options: ShareMembershipOptions;
  #epoch = 0;
  #intervalMs: Millis = FIRST_INTERVAL_MS;
  #hasPartitions = false;

  constructor(options: ShareMembershipOptions) {
    this.#options = options;
  }

  /** It is in its group. */
  get isMember(): boolean {
    return this.#epoch > 0;
  }

  /** @throws what cannot be put right; what the signal says. */
  async run(): Promise<void> {
    const { clock, signal } = this.#options;
    for (;;) {
      await this.#beat(this.#epoch);
      const waitMs = this.#hasPartitions ? this.#intervalMs : Math.min(this.#intervalMs, EAGER_INTERVAL_MS);
      await pause(clock, waitMs, signal);
    }
  }

  async #beat(memberEpoch: number): Promise<void> {
    try {
      const answer = await this.#say(memberEpoch, this.#options.signal);
      this.#epoch = answer.memberEpoch;
      this.#intervalMs = answer.heartbeatIntervalMs;
      if (answer.assignment === null) return;
      const { topicPartitions } = answer.assignment;
      this.#hasPartitions = topicPartitions.length > 0;
      this.#options.assigned(topicPartitions);
    } catch (error) {
      const verdict = verdictOn(error);
      const isGone = error instanceof BrokerError && error.errorCode === ErrorCode.GROUP_ID_NOT_FOUND;
      if (memberEpoch === 0 || !(verdict === 'lost' || verdict === 'unknown' || isGone)) throw error;
      // The group goes on without it: it comes again, as a new member.
      this.#epoch = 0;
      await this.#beat(0);
    }
  }

  #say(memberEpoch: number, signal: AbortSignal) {
    const { coordinator, groupId, memberId, topics } = this.#options;
    const subscribedTopicNames = memberEpoch === 0 ? topics : null;
    return coordinator.ask('living', { signal }, async (exchange, options) => {
      const body = { groupId, memberId, memberEpoch, subscribedTopicNames };
      const answer = await exchange.request(shareGroupHeartbeatApi, VERSIONS, body, options);
      if (answer.errorCode === ErrorCode.NONE) return answer;
      throw new BrokerError(answer.errorCode, `share group ${groupId}`, answer.errorMessage);
    });
  }

  async leave(signal: AbortSignal): Promise<void> {
    if (this.#epoch > 0) await this.#say(LEAVE_EPOCH, signal);
    this.#epoch = 0;
  }
}
