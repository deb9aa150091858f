import { deleteShareGroupStateApi } from '../../wire/apis/86-delete-share-group-state.ts';
import { shareStateHandler } from '../share/state-handler.ts';

/** Forgets share partitions, each at its coordinator. */
export const deleteShareGroupState = shareStateHandler(deleteShareGroupStateApi, { max: 0, unanswered: {} });
