import { writeShareGroupStateApi } from '../../wire/apis/85-write-share-group-state.ts';
import { shareStateHandler } from '../share/state-handler.ts';

/** Keeps what a leader has settled, at the coordinators of its share partitions. */
export const writeShareGroupState = shareStateHandler(writeShareGroupStateApi, { max: 1, unanswered: {} });
