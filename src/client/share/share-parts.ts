/** What a share consumer loads when it is read. */
export { ShareEngine } from './share-engine.ts';
export { concurrencyOf, settingsOf } from './share-options.ts';
