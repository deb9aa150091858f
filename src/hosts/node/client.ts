/** The entry `milena` of Node. */
export * from '../../client/index.ts';
export { connect } from './connect.ts';
