import type { LeaderEpoch, Millis, Offset, Uuid } from '../../model/ids.ts';
import type { TopicPartition } from '../topic-partition.ts';
import type { Isolation } from './lookups.ts';
import type { Position } from './position.ts';

/** A partition that is to be read. */
export interface Assignment extends TopicPartition {
  readonly from: Position;
  /** Exclusive; the first of them that comes, as they are when reading begins. It goes on for ever without. */
  readonly ends?: readonly Position[] | undefined;
}

/** What is read of one partition, and how far it has come. */
export class FetchPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Where to begin, as long as that is not looked up. */
  wanted: Position | undefined;
  /** Where to end, the first of these, as long as that is not looked up. */
  wantedEnds: readonly Position[];
  /** The next to be asked for; what lies between `position` and it is buffered. */
  fetchOffset: Offset = 0;
  /** The next to be handed out. */
  position: Offset = 0;
  /** Of the record before `position`, where it is known. */
  positionEpoch: LeaderEpoch = -1;
  /** Exclusive. */
  endOffset: Offset = Infinity;
  /** Of the record before `fetchOffset`, where it is known: what a new leader is asked for. */
  lastEpoch: LeaderEpoch = -1;
  /** Of the leader under which the position was found to be right. */
  leaderEpoch: LeaderEpoch = -1;
  topicId: Uuid | undefined;
  /** As leaders have told; -1 is not told. */
  highWatermark: Offset = -1;
  lastStableOffset: Offset = -1;
  isPaused = false;
  /** Something is looked up for it, and it is not asked for. */
  isHeld = false;
  /** Part of a request that is not answered. */
  isAsked = false;
  /** Grows with each seek: what was asked for before is of another life. */
  life = 0;
  /** Where the leader says one should read (KIP-392). */
  replica: { nodeId: number; untilMs: Millis } | undefined;
  /** What the next batch takes, where a broker has cut it off. */
  neededBytes = 0;
  /** The last answer had records beyond the end that it told. */
  isDoubted = false;
  /** The log has nothing at `fetchOffset`: nothing is asked for before what is buffered is read. */
  isDraining = false;
  notBeforeMs: Millis = 0;
  failures = 0;
  failingSinceMs: Millis | undefined;
  /** Since when what comes cannot be read. */
  badSinceMs: Millis | undefined;
  /** Since when a broker has more, by its own words, and does not give it. */
  stuckSinceMs: Millis | undefined;

  constructor({ topic, partition, from, ends = [] }: Assignment) {
    this.topic = topic;
    this.partition = partition;
    this.wanted = from;
    this.wantedEnds = ends;
  }

  /** Nothing more is asked for. */
  get isFetched(): boolean {
    return !this.needsLookup && this.fetchOffset >= this.endOffset;
  }

  /** Something is to be looked up, or to be asked for. */
  get isWanting(): boolean {
    if (this.wanted !== undefined) return true;
    return !this.isPaused && !this.isFetched && !(this.isDraining && this.position < this.fetchOffset);
  }

  /** All is handed out. */
  get isOver(): boolean {
    return this.isFetched && this.position >= this.endOffset;
  }

  /** Where it begins or ends is not known yet. */
  get needsLookup(): boolean {
    return this.wanted !== undefined || this.wantedEnds.length > 0;
  }

  /** Where reading begins, as it was looked up. @param leaderEpoch under which that is right. */
  startAt(offset: Offset, epochs: { recordEpoch: LeaderEpoch; leaderEpoch: LeaderEpoch }): void {
    this.wanted = undefined;
    this.position = offset;
    this.fetchOffset = offset;
    this.positionEpoch = epochs.recordEpoch;
    this.lastEpoch = epochs.recordEpoch;
    this.leaderEpoch = epochs.leaderEpoch;
  }

  /** Begins anew elsewhere. */
  seek(wanted: Position): void {
    this.wanted = wanted;
    this.life++;
    this.stuckSinceMs = undefined;
  }

  /** What is buffered is not believed, or has no place: it is asked for again. */
  rewind(to: Offset = this.position): void {
    this.position = to;
    this.fetchOffset = to;
    this.lastEpoch = this.positionEpoch;
    this.life++;
    this.stuckSinceMs = undefined;
  }

  succeeded(): void {
    this.failures = 0;
    this.failingSinceMs = undefined;
    this.notBeforeMs = 0;
  }
}

/** Where what may be read ends, as the leader told last; -1 when it has not. */
export function endOf({ lastStableOffset, highWatermark }: FetchPartition, isolation: Isolation): Offset {
  return isolation === 'read_committed' ? lastStableOffset : highWatermark;
}
