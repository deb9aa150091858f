import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import type { CommitLedger } from './commit-ledger.ts';
import { type Connection, ConnectionLost } from './connection.ts';
import type { SeededRandom } from '../support/random.ts';
import type { RoundProgress } from './round.ts';
import { type Target, logOf } from './writer.ts';

const COMMIT_VERSION = 8;
const IN_FLIGHT = 12;
/** Large, so that the coordinator has to take snapshots of itself. */
const METADATA_BYTES = 4_000;

/** Commits positions of a group without members, some always on their way: any number is as good as another. */
export class Committer {
  readonly group: string;
  readonly #ledger: CommitLedger;
  readonly #targets: readonly Target[];
  readonly #random: SeededRandom;
  readonly #onFault: (fault: string) => void;

  constructor(
    group: string,
    parts: {
      commits: CommitLedger;
      targets: readonly Target[];
      random: SeededRandom;
      onFault: (fault: string) => void;
    },
  ) {
    this.group = group;
    this.#ledger = parts.commits;
    this.#targets = parts.targets;
    this.#random = parts.random;
    this.#onFault = parts.onFault;
  }

  /** Goes on until the connection is lost. */
  resume(connection: Connection, progress: RoundProgress): void {
    for (let i = 0; i < IN_FLIGHT; i++) this.#commit(connection, progress);
  }

  #commit(connection: Connection, progress: RoundProgress): void {
    if (!progress.takeBatch()) return;
    const target = this.#random.pick(this.#targets);
    const committedOffset = this.#random.integer(0, 1_000_000);
    const acknowledge = this.#ledger.sent(this.group, logOf(target), committedOffset);
    const answer = connection.request(offsetCommitApi, COMMIT_VERSION, {
      groupId: this.group,
      memberId: '',
      topics: [
        {
          name: target.topic,
          partitions: [
            {
              partitionIndex: target.partition,
              committedOffset,
              committedMetadata: String(committedOffset).padEnd(METADATA_BYTES),
            },
          ],
        },
      ],
    });
    answer.then(
      ({ topics }) => {
        const errorCode = topics[0]?.partitions[0]?.errorCode;
        if (errorCode !== 0) return this.#onFault(`${this.group}: commit answered with error ${errorCode}`);
        acknowledge();
        progress.acked();
        this.#commit(connection, progress);
      },
      (error) => {
        if (!(error instanceof ConnectionLost)) this.#onFault(`${this.group}: ${error}`);
      },
    );
  }
}
