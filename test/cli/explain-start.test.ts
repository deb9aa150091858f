import { expect, test } from 'vitest';
import { explainStart } from '../../src/cli/explain-start.ts';

/** What stops a start, as the terminal says it: what happened, to what, and what to do next. */

const started = { port: 9092, httpPort: 9094, directory: '/data' };

test.each([
  [
    'ENOSPC',
    'no space left on device, write',
    /^error\[DISK_FULL\]: \/data: .*\n {2}make room and start again/,
  ],
  [
    'EROFS',
    "read-only file system, open '/data/.lock'",
    /^error\[NOT_ALLOWED\]: .*\/data.*\n {2}check who may write/,
  ],
  [
    'ENOTDIR',
    "not a directory, mkdir '/data'",
    /^error\[NO_DIRECTORY\]: \/data is no directory .*\n {2}choose another/,
  ],
  [
    'EEXIST',
    "file already exists, mkdir '/data'",
    /^error\[NO_DIRECTORY\]: \/data is no directory .*--data$/s,
  ],
])('%s', (code, message, text) => {
  const error = Object.assign(new Error(`${code}: ${message}`), { code });
  expect(explainStart(error, started).text()).toMatch(text);
});

test('a metadata log that is not served: what of it, and how to get at the records', () => {
  const error = Object.assign(new Error('the metadata log could not be opened: its records are missing'), {
    name: 'MetadataNotServed',
  });
  expect(explainStart(error, started).text()).toBe(
    'error[METADATA]: the metadata log could not be opened: its records are missing\n' +
      '  its topics can be read all the same: milena export --data /data TOPIC',
  );
});
