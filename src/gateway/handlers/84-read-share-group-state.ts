import { readShareGroupStateApi } from '../../wire/apis/84-read-share-group-state.ts';
import { shareStateHandler } from '../share/state-handler.ts';

/** State of share partitions, each from its coordinator. */
export const readShareGroupState = shareStateHandler(readShareGroupStateApi, {
  max: 0,
  unanswered: { stateEpoch: 0, startOffset: -1, stateBatches: [] },
});
