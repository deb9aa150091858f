// The client as a Worker has it. Its types are those of pages, which Workers' own contradict: what tests use is beside.
export { connect } from '../../src/hosts/web/index.ts';
