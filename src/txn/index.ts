export { DEFAULT_TXN_CONFIG } from './config.ts';
export type { TxnConfig } from './config.ts';
export { noDescription } from './describe.ts';
export { TXN_APIS, TxnMachine } from './machine.ts';
export type { TxnMachineOptions } from './machine.ts';
