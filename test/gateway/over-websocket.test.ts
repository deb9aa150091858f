import { describe } from 'vitest';
import { clientsUse } from './doors.ts';

/** What holds for clients over TCP holds for clients over WebSocket: the very same tests. */
clientsUse('websocket');

describe('bad streams', async () => {
  await import('./bad-stream.test.ts');
});
describe('greedy clients', async () => {
  await import('./greedy.test.ts');
});
describe('bad batches', async () => {
  await import('./bad-batch.test.ts');
});
describe('produce', async () => {
  await import('./produce.test.ts');
});
describe('fetch', async () => {
  await import('./fetch.test.ts');
});
describe('lookups', async () => {
  await import('./lookups.test.ts');
});
describe('versions', async () => {
  await import('./versions.test.ts');
});
describe('slow readers', async () => {
  await import('./slow-reader.test.ts');
});
describe('fetch sessions', async () => {
  await import('./fetch-sessions.test.ts');
});
describe('quotas', async () => {
  await import('./quotas.test.ts');
});
