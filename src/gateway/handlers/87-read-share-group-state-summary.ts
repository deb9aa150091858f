import { readShareGroupStateSummaryApi } from '../../wire/apis/87-read-share-group-state-summary.ts';
import { shareStateHandler } from '../share/state-handler.ts';

/** How far share partitions are, each from its coordinator. */
export const readShareGroupStateSummary = shareStateHandler(readShareGroupStateSummaryApi, {
  max: 1,
  unanswered: { stateEpoch: 0, leaderEpoch: 0, startOffset: -1, deliveryCompleteCount: -1 },
});
