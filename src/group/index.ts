export { DEFAULT_GROUP_CONFIG } from './config.ts';
export type { GroupConfig } from './config.ts';
export type { ClusterView, Topic } from './topics.ts';
export { GROUP_APIS, GroupMachine } from './machine.ts';
export type { GroupMachineOptions, GroupView } from './machine.ts';
