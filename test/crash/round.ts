import type { SeededRandom } from '../support/random.ts';
import { TEARS, type Tear } from './tear.ts';

/** What is to happen in one round, all of it drawn from the seed before it begins. */
export interface RoundPlan {
  /** The broker is killed at this acknowledgement, counted over all who write or commit. */
  killAtAck: number;
  /** And so much later: right after an acknowledgement less is under way than at any other moment. */
  killDelayMs: number;
  /** And not before the group has committed so often. */
  groupCommits: number;
  /** How long it may try to stop cleanly before that; undefined: not at all. */
  graceMs: number | undefined;
  /** Lives cut short before the next: how many milliseconds after the spawn each is killed. */
  stillbirthsMs: number[];
  /** What is done to the files of the dead broker. */
  tear: Tear | undefined;
  /** This topic is made, or deleted when it is there: one of few, so that names come back. */
  togglesTopic: string | undefined;
  /** One member leaves the group and another comes. */
  changesMember: boolean;
}

export const TOGGLED_TOPIC = 'now-and-then-';
const TOGGLED_TOPICS = 4;
const KILL_DELAY_MAX_MS = 8;
const GRACE_MAX_MS = 60;
const STILLBIRTH_MAX_MS = 150;

export function planRound(random: SeededRandom): RoundPlan {
  const graceMs = random.chance(0.15) ? random.integer(0, GRACE_MAX_MS) : undefined;
  return {
    graceMs,
    killAtAck: random.integer(20, 1_200),
    killDelayMs: random.chance(0.5) ? 0 : random.integer(1, KILL_DELAY_MAX_MS),
    groupCommits: random.integer(0, 5),
    stillbirthsMs: random.chance(0.4)
      ? Array.from({ length: random.integer(1, 3) }, () => random.integer(0, STILLBIRTH_MAX_MS))
      : [],
    // What stopped cleanly has flushed all of it.
    tear: graceMs === undefined && random.chance(0.6) ? random.pick(TEARS) : undefined,
    togglesTopic: random.chance(0.8) ? `${TOGGLED_TOPIC}${random.integer(1, TOGGLED_TOPICS)}` : undefined,
    changesMember: random.chance(0.15),
  };
}

/** What a round may do before it is killed, and when that is. */
export class RoundProgress {
  acks = 0;
  groupCommits = 0;
  /** Batches that may still be begun: a group that takes its time must not let the logs grow without end. */
  #batchesLeft: number;
  readonly #plan: RoundPlan;
  readonly #kill: () => void;
  #doomed = false;
  #killed = false;

  constructor(plan: RoundPlan, kill: () => void) {
    this.#plan = plan;
    this.#kill = kill;
    this.#batchesLeft = plan.killAtAck + BATCHES_BEYOND;
  }

  takeBatch(): boolean {
    if (this.#killed || this.#batchesLeft === 0) return false;
    this.#batchesLeft--;
    return true;
  }

  /** Something was acknowledged. */
  acked(): void {
    this.acks++;
    this.#look();
  }

  groupCommitted(): void {
    this.groupCommits++;
    this.acked();
  }

  /** How far the round has come, for when it comes no further. */
  describe(): string {
    const { killAtAck, groupCommits } = this.#plan;
    return `${this.acks} of ${killAtAck} acks, ${this.groupCommits} of ${groupCommits} commits of the group`;
  }

  #look(): void {
    const { killAtAck, killDelayMs, groupCommits } = this.#plan;
    if (this.#doomed || this.acks < killAtAck || this.groupCommits < groupCommits) return;
    this.#doomed = true;
    if (killDelayMs === 0) this.kill();
    else setTimeout(() => this.kill(), killDelayMs);
  }

  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#kill();
  }
}

const BATCHES_BEYOND = 1_000;
