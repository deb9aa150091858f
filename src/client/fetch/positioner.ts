import { ErrorCode } from '../../model/errors.ts';
import { type LeaderEpoch, ZERO_UUID } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError, MilenaError } from '../errors.ts';
import { placeOf, type Position } from './position.ts';
import { titleOf } from '../topic-partition.ts';
import type { Lookups } from './lookups.ts';
import type { FetchPartition } from './partition.ts';

export interface PositionerOptions {
  cluster: Cluster;
  clock: Clock;
  lookups: Lookups;
  outOfRange: Position | 'throw';
}

/** Sees to it that partitions stand where their logs have a place for them. */
export class Positioner {
  readonly #options: PositionerOptions;

  constructor(options: PositionerOptions) {
    this.#options = options;
  }

  /** Whether a partition can be asked for as it is, by what is known of its topic. */
  isSettled(at: FetchPartition): boolean {
    const topic = this.#options.cluster.known(at.topic);
    const known = topic?.partitions[at.partition];
    if (topic === undefined || known === undefined || at.needsLookup) return false;
    return topic.id === at.topicId && known.leaderEpoch <= at.leaderEpoch;
  }

  /**
   * Looks up what is not known: who leads, where to begin and to end, and whether the log is still the one that was
   * read. @throws BrokerError, ConnectionLost, and what {@link leave} throws.
   */
  async settle(at: FetchPartition): Promise<void> {
    const { cluster } = this.#options;
    const topic = await cluster.topic(at.topic, { mayCreate: false });
    const known = topic.partitions[at.partition];
    if (known === undefined) throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, titleOf(at));
    if (known.leaderId < 0) {
      cluster.forget(at.topic);
      throw new BrokerError(ErrorCode.LEADER_NOT_AVAILABLE, titleOf(at));
    }
    const wasMadeAgain = at.topicId !== undefined && at.topicId !== topic.id && at.topicId !== ZERO_UUID;
    at.topicId = topic.id;
    if (wasMadeAgain && at.wanted === undefined) this.leave(at, 'the topic was deleted and made again');
    if (at.wanted !== undefined) await this.#begin(at, at.wanted, known.leaderEpoch);
    else if (known.leaderEpoch > at.leaderEpoch) await this.#validate(at, known.leaderEpoch);
    await this.#end(at);
  }

  /** Its position has no place in the log: it goes where the policy says. @throws MilenaError OFFSET_OUT_OF_RANGE */
  leave(at: FetchPartition, why: string): void {
    const { outOfRange } = this.#options;
    if (outOfRange !== 'throw') return at.seek(outOfRange);
    throw new MilenaError(`${titleOf(at)}: offset ${at.fetchOffset} is not there: ${why}`, {
      code: 'OFFSET_OUT_OF_RANGE',
      hint: "read from 'earliest', 'latest' or a time to go on where the log has records",
    });
  }

  async #begin(at: FetchPartition, wanted: Position, leaderEpoch: LeaderEpoch): Promise<void> {
    const { clock, lookups } = this.#options;
    const { life } = at;
    const place = placeOf(wanted, clock.now());
    const found = await lookups.resolve(at, place);
    if (at.life !== life) return;
    // What a caller remembers is held against what the leader has; what the leader has just said is right.
    const isRemembered = place.kind === 'offset' && place.leaderEpoch >= 0;
    const epochs = { recordEpoch: found.leaderEpoch, leaderEpoch: isRemembered ? -1 : leaderEpoch };
    at.startAt(found.offset, epochs);
    if (isRemembered && leaderEpoch >= 0) await this.#validate(at, leaderEpoch);
  }

  async #end(at: FetchPartition): Promise<void> {
    const { clock, lookups } = this.#options;
    if (at.wantedEnds.length === 0) return;
    const places = at.wantedEnds.map((end) => placeOf(end, clock.now()));
    const found = await Promise.all(places.map((place) => lookups.resolve(at, place)));
    at.wantedEnds = [];
    at.endOffset = Math.min(...found.map(({ offset }) => offset));
  }

  /** A new leader may lack what was read from the one before (KIP-320). */
  async #validate(at: FetchPartition, leaderEpoch: LeaderEpoch): Promise<void> {
    const { life, lastEpoch } = at;
    if (lastEpoch >= 0) {
      const asked = { leaderEpoch: lastEpoch, currentLeaderEpoch: leaderEpoch };
      const end = await this.#options.lookups.endOfEpoch(at, asked);
      if (at.life !== life) return;
      if (end !== undefined && (end.endOffset < 0 || end.leaderEpoch < 0))
        return this.leave(at, `its leader knows nothing of epoch ${lastEpoch}`);
      if (end !== undefined && end.endOffset < at.fetchOffset) this.#truncate(at, end);
    }
    at.leaderEpoch = leaderEpoch;
  }

  #truncate(at: FetchPartition, end: { leaderEpoch: LeaderEpoch; endOffset: number }): void {
    const isUnread = end.endOffset >= at.position;
    if (isUnread) return at.rewind();
    if (this.#options.outOfRange === 'throw')
      throw new MilenaError(
        `${titleOf(at)} was cut at ${end.endOffset}, records before ${at.position} were read`,
        {
          code: 'LOG_TRUNCATED',
          hint: 'records that were read are not in the log any more: was a leader elected that was not in sync?',
        },
      );
    at.rewind(end.endOffset);
    at.positionEpoch = end.leaderEpoch;
    at.lastEpoch = end.leaderEpoch;
  }
}
