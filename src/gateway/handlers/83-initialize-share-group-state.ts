import { initializeShareGroupStateApi } from '../../wire/apis/83-initialize-share-group-state.ts';
import { shareStateHandler } from '../share/state-handler.ts';

/** Gives share partitions their first state, each at its coordinator. */
export const initializeShareGroupState = shareStateHandler(initializeShareGroupStateApi, {
  max: 0,
  unanswered: {},
});
