/** The entry `milena` of Workers and pages. */
export * from '../../client/index.ts';
export { connect } from './connect.ts';
