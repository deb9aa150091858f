/** Seeds that once failed, and what they found. It is not there any more; they are kept for ever. */
export const SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [1, 'a log whose making had failed went on without partition.metadata, and was lost at the next start'],
  [4, 'a lookup by time in a log that was given up meanwhile said that there is nothing'],
  [11, 'a log whose making failed after another was moved aside could never be made'],
  [31, 'epochs that a power cut took stayed lost; then: members never asked for a coordinator that was gone'],
  [33, 'what a recovery had not flushed counted as durable'],
  [
    1289,
    'a snapshot of records that a log had lost came back once it had grown past it; then: a wrong bit ended a read',
  ],
  [38394257, 'a partition that was lost with the metadata and made again starts where its log was trimmed'],
  [176784094, 'a group whose last members went while a rebalance waited for an id refused who came with it'],
  [327874957, 'the same as 38394257'],
  [
    327875156,
    'a log that had lost its end beneath its start took what came next for flushed, and skipped it',
  ],
  [
    688804305,
    'a metadata log that was loaded again led the node back in time: a log was opened in an old epoch',
  ],
  [970366245, 'a disk that failed a stop was well again by the time the stop said so'],
  [1488051084, 'a bit read wrong after a clean stop moved the end of a log, and the next batch went there'],
  [1413809695, 'a segment that rolled where its log was closed lost its last time entry to a power cut'],
  [
    327875007,
    'a failed log took a batch whose producer it did not know, though it had refused the one before',
  ],
  [1778130654, 'a log that was opened by a node that was stopping was not looked at'],
  [
    2000000187,
    'a machine was loaded from a batch of which a bit was read wrong, true as it was when it was checked',
  ],
  [
    2126290240,
    'a snapshot had the positions of a topic in the order in which they had come, another after a restart',
  ],
];

/** Seeds that fail, and how: what is open. A seed moves up once it holds. */
export const OPEN_SEEDS: readonly (readonly [seed: number, fails: string])[] = [];
