import type { BrowserCommandContext } from 'vitest/node';

/** Does to IndexedDB what a person does who clears the data of the site that runs the tests. */
export async function clearIndexedDb({ context, page }: BrowserCommandContext): Promise<void> {
  const session = await context.newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  await session.detach();
}
