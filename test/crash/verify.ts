import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import type { CommitLedger } from './commit-ledger.ts';
import type { Connection } from './connection.ts';
import type { LogCheck } from './log-ledger.ts';
import { type Target, logOf } from './writer.ts';

const READ_BYTES = 8 * 1024 * 1024;

/** Reads a log from its first record to its end. @returns its size in bytes. */
export async function readLog(
  connection: Connection,
  { topic, partition }: Target,
  check: LogCheck,
): Promise<number> {
  let sizeBytes = 0;
  let highWatermark = Infinity;
  while (check.nextOffset < highWatermark && check.faults.length === 0) {
    const { responses } = await connection.request(fetchApi, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: READ_BYTES,
      topics: [
        { topic, partitions: [{ partition, fetchOffset: check.nextOffset, partitionMaxBytes: READ_BYTES }] },
      ],
      forgottenTopicsData: [],
    });
    const answer = responses[0]?.partitions[0];
    if (answer?.errorCode !== 0) {
      check.faults.push(`${topic}-${partition} @${check.nextOffset}: fetch error ${answer?.errorCode}`);
      break;
    }
    const bytes = answer.records ?? new Uint8Array(0);
    if (highWatermark === Infinity) highWatermark = answer.highWatermark;
    await check.take(bytes);
    sizeBytes += bytes.length;
    if (bytes.length === 0) break;
  }
  check.end();
  return sizeBytes;
}

/** Reads what a group has committed and holds it against what was acknowledged. */
export async function checkCommits(
  connection: Connection,
  { group, targets, commits }: { group: string; targets: readonly Target[]; commits: CommitLedger },
): Promise<string[]> {
  const marks = new Map(targets.map((target) => [logOf(target), commits.mark(group, logOf(target))]));
  const byTopic = Map.groupBy(targets, ({ topic }) => topic);
  const topics = Array.from(byTopic, ([name, those]) => ({
    name,
    partitionIndexes: those.map(({ partition }) => partition),
  }));
  const answer = await connection.request(offsetFetchApi, 7, { groupId: group, topics, requireStable: true });
  const faults = answer.errorCode === 0 ? [] : [`${group}: offset fetch error ${answer.errorCode}`];
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, committedOffset, metadata, errorCode } of partitions) {
      const log = logOf({ topic: name, partition: partitionIndex });
      if (metadata && Number(metadata) !== committedOffset)
        faults.push(`${group} ${log}: ${committedOffset} has the metadata of ${metadata.trim()}`);
      const since = marks.get(log) ?? -1;
      if (errorCode === 0 && commits.mayBe(group, log, { since, offset: committedOffset })) continue;
      const expected = commits.describe(group, log, since);
      faults.push(`${group} ${log}: committed is ${committedOffset} (error ${errorCode}); ${expected}`);
    }
  }
  return faults;
}
